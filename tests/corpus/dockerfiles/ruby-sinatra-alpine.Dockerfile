FROM ruby:3.2-alpine
RUN apk add --update build-base
WORKDIR /app
COPY Gemfile* ./
RUN gem install bundler:2.4.22 && bundle install --jobs 4 --without development test
RUN apk del build-base
COPY . .
EXPOSE 4567
CMD ["bundle", "exec", "ruby", "app.rb", "-o", "0.0.0.0"]
