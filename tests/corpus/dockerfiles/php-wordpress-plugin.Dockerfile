FROM wordpress:6.4-php8.2-apache
ENV WORDPRESS_DB_PASSWORD=wordpress
RUN curl -O https://raw.githubusercontent.com/wp-cli/builds/gh-pages/phar/wp-cli.phar \
 && chmod +x wp-cli.phar && mv wp-cli.phar /usr/local/bin/wp
ADD https://downloads.wordpress.org/plugin/akismet.zip /usr/src/wordpress/wp-content/plugins/
RUN cd /usr/src/wordpress/wp-content/plugins && unzip akismet.zip && rm akismet.zip
