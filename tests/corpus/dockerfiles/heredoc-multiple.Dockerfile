FROM busybox:1.36
COPY <<robots.txt <<humans.txt /www/
User-agent: *
Disallow: /
robots.txt
/* TEAM */
Jo
humans.txt
RUN cat <<-A <<-B > /both
	one
	A
	two
	B
EXPOSE 8080
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
