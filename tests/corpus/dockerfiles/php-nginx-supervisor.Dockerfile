FROM php:8.2-fpm
RUN apt-get update && apt-get install -y nginx supervisor cron
RUN curl -sS https://getcomposer.org/installer | php -- --install-dir=/usr/local/bin --filename=composer
WORKDIR /var/www
COPY . .
RUN composer install --no-dev && chmod -R 777 storage
COPY docker/nginx.conf /etc/nginx/sites-available/default
COPY docker/supervisord.conf /etc/supervisor/conf.d/
RUN echo "* * * * * root php /var/www/artisan schedule:run" >> /etc/crontab
EXPOSE 80
CMD service nginx start && php-fpm
