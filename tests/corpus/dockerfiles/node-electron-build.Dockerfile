FROM electronuserland/builder:wine
RUN dpkg --add-architecture i386 && apt-get update && apt-get install -y wine32 && rm -rf /var/lib/apt/lists/*
WORKDIR /project
COPY package.json ./
RUN npm install -g electron-builder yarn
RUN yarn
COPY . /project
RUN yarn dist --linux --x64
