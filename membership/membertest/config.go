package membertest

import (
	"fmt"
	"strconv"
	"strings"

	"holdfast"
	"holdfast/membership/config"
)

// configure publishes versions of the configuration now and then, all hosts at once. Each holds a count that is one higher than in the
// version it was made from, so that a change which was lost, or made from the wrong version, shows.
func (n *node) configure() {
	log := config.Open(n.fs, root)
	for n.p.sleep("configure", leaseT/2, 3*leaseT) {
		base, err := log.Newest()
		if err != nil && !holdfast.Is(err, holdfast.NotFound) {
			continue
		}
		next := config.Config{Cluster: strings.Repeat("0", 32)}
		next.Hosts = []config.Host{{ID: config.IDOf(holdfast.HostID(1)), Name: strconv.Itoa(count(base) + 1)}}
		got, err := log.Publish(base.Version, next)
		if err == nil {
			n.p.post(fmt.Sprint("published ", got.Version), func() { n.w.published(n.p, got) })
		}
	}
}

// count returns the count in a version; 0 for none.
func count(c config.Config) int {
	if len(c.Hosts) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(c.Hosts[0].Name) // written by configure
	return n
}

// published remembers that a process was told that its version is in force.
func (w *world) published(p *process, c config.Config) {
	w.counts["config"]++
	if other, twice := w.configs[c.Version]; twice && other != c.Nonce {
		w.fail(fmt.Sprintf("%s: version %d of the configuration was published twice", p.name, c.Version))
	}
	w.configs[c.Version] = c.Nonce
}

// inspectConfig says what is wrong with the log when all is over.
func (w *world) inspectConfig() string {
	log := config.Open(w.disk, root)
	for v := uint64(1); ; v++ {
		c, err := log.Read(v)
		switch nonce, told := w.configs[v]; {
		case err != nil && !told && holdfast.Is(err, holdfast.NotFound):
			if v <= uint64(len(w.configs)) {
				return fmt.Sprintf("version %d of the configuration is missing", v)
			}
			return ""
		case err != nil:
			return fmt.Sprintf("version %d of the configuration: %v", v, err)
		case told && c.Nonce != nonce:
			return fmt.Sprintf("version %d of the configuration is not the one that was published", v)
		case count(c) != int(v):
			return fmt.Sprintf("version %d of the configuration counts %d", v, count(c))
		}
	}
}
