package node

import (
	"time"

	"holdfast"
	"holdfast/gw/limit"
	"holdfast/gw/usage"
)

// openLimits starts what holds users to their limits and counts what they use.
func (n *Node) openLimits(gateway holdfast.ServiceID) {
	n.limits = limit.Open(limit.Options{Volume: n.volume, Logger: n.log, Now: n.env.Now})
	n.usage = usage.Open(usage.Options{
		Service: gateway, Volume: n.volume, Period: n.config.usagePeriod(), Registerer: n.registry, Logger: n.log, Now: n.env.Now,
	})
}

// closeLimits ends both, after the last request. What was used is written first.
func (n *Node) closeLimits() {
	if n.usage != nil {
		n.usage.Close()
	}
	if n.limits != nil {
		n.limits.Close()
	}
}

// usagePeriod returns how long the periods of usage records are, 0 for no records.
func (r Reloadable) usagePeriod() time.Duration { return time.Duration(r.UsagePeriod) * time.Second }
