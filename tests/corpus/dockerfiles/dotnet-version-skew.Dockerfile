FROM mcr.microsoft.com/dotnet/sdk:9.0 AS build
WORKDIR /src
COPY . .
RUN dotnet publish -c Release -o /out
FROM mcr.microsoft.com/dotnet/runtime:8.0
COPY --from=build /out /app
USER $APP_UID
ENTRYPOINT ["dotnet", "/app/worker.dll"]
