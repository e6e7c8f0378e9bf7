FROM python:3.12-slim
LABEL description="Größe, naïve café, 日本語, emoji 🐳"
ENV GRÜSSE="schöne Grüße" 名前=値
RUN echo "→ ✓ ünïcödé" && apt-get update && apt-get install -y 日本語
COPY файл.txt /данные/
CMD echo "🐳"
