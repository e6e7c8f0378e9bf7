FROM ros:humble-ros-base AS builder
SHELL ["/bin/bash", "-c"]
WORKDIR /ws
COPY src src
RUN apt-get update && rosdep install --from-paths src -y --ignore-src && rm -rf /var/lib/apt/lists/*
RUN source /opt/ros/humble/setup.bash && colcon build
FROM ros:humble-ros-core
COPY --from=builder /ws/install /ws/install
RUN echo "source /ws/install/setup.bash" >> ~/.bashrc
CMD ["bash", "-c", "source /ws/install/setup.bash && ros2 launch app main.launch.py"]
