FROM rabbitmq:3.13-management-alpine
RUN rabbitmq-plugins enable --offline rabbitmq_shovel rabbitmq_shovel_management
COPY --chown=rabbitmq:rabbitmq rabbitmq.conf definitions.json /etc/rabbitmq/
