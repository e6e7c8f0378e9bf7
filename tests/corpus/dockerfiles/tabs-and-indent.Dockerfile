	FROM   alpine:3.21
	RUN	apk add --no-cache \
		curl \
		jq
	COPY	run.sh	/run.sh
	CMD	["/run.sh"]
