FROM jekyll/jekyll:4
WORKDIR /srv/jekyll
COPY Gemfile /srv/jekyll
RUN bundle install && chmod -R a+w /srv/jekyll
VOLUME /srv/jekyll
CMD jekyll serve --watch
