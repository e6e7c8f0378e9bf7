FROM mcr.microsoft.com/windows/servercore:ltsc2022
# hadolint shell=powershell
RUN Get-Process notepad | Stop-Process
# hadolint shell=powershell
RUN Invoke-WebRequest -Uri https://example.com/a.msi -OutFile a.msi; Start-Process msiexec.exe -Wait
