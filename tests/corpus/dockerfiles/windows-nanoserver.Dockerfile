# escape=`
FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
WORKDIR C:\app
COPY bin\Release\ C:\app\
USER ContainerUser
CMD ["app.exe"]
