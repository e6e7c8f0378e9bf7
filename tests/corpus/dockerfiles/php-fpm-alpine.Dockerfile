FROM php:8.3-fpm-alpine AS base
RUN apk add --no-cache icu-dev libzip-dev \
    && docker-php-ext-install -j"$(nproc)" intl zip opcache

FROM composer:2.7 AS vendor
WORKDIR /app
COPY composer.json composer.lock ./
RUN composer install --no-dev --no-scripts --prefer-dist --no-interaction

FROM base
WORKDIR /var/www
COPY --from=vendor /app/vendor ./vendor
COPY . .
RUN chown -R www-data:www-data storage bootstrap/cache
USER www-data
CMD ["php-fpm"]
