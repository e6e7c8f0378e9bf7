FROM mcr.microsoft.com/dotnet/sdk:8.0
WORKDIR /app
COPY . .
RUN dotnet restore
RUN dotnet publish -c Release -r linux-x64 -o out
ENV ASPNETCORE_URLS http://+:5000
EXPOSE 5000
CMD dotnet out/Service.dll
