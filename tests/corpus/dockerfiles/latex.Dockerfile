FROM texlive/texlive:latest-small
RUN tlmgr update --self && tlmgr install latexmk collection-fontsrecommended
RUN apt-get update && apt-get install -y --no-install-recommends make ghostscript
WORKDIR /doc
ENTRYPOINT ["latexmk", "-pdf"]
