FROM registry.suse.com/bci/bci-base:15.6
RUN set -euo pipefail; \
    zypper -n in --no-recommends gcc13 make=4.2.1; \
    zypper -n clean; \
    rm -rf /var/log/{lastlog,tallylog,zypper.log,zypp/history,YaST2}
CMD ["/bin/bash"]
