FROM ruby:3.3
RUN gem install bundler:2.5.11 rails
RUN gem install sinatra -v 4.0.0
RUN gem install --version '~> 1.0' rake
RUN gem install ./local.gem
RUN gem update --system
