FROM openjdk:17-jdk-slim-bullseye
ENV ANDROID_HOME=/opt/android-sdk
ENV SDK_TOOLS=commandlinetools-linux-9477386_latest.zip
RUN apt-get --quiet update --yes && apt-get --quiet install --yes wget tar unzip lib32stdc++6 lib32z1
RUN mkdir -p $ANDROID_HOME && cd $ANDROID_HOME && wget --quiet https://dl.google.com/android/repository/${SDK_TOOLS} && unzip -q ${SDK_TOOLS} && rm ${SDK_TOOLS}
RUN yes | $ANDROID_HOME/cmdline-tools/bin/sdkmanager --sdk_root=$ANDROID_HOME --licenses
RUN $ANDROID_HOME/cmdline-tools/bin/sdkmanager --sdk_root=$ANDROID_HOME "platforms;android-33" "build-tools;33.0.2"
WORKDIR /app
