FROM julia:1.10
RUN julia -e 'using Pkg; Pkg.add(["CSV", "DataFrames", "HTTP"])'
COPY main.jl .
CMD julia main.jl
