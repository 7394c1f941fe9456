package gw

import (
	"sync"

	"holdfast/gw/policy"
)

// maxAccountPolicies bounds how many parsed policies of service accounts are kept; beyond it any one goes.
const maxAccountPolicies = 1000

// accountPolicies keeps the policies of service accounts, parsed, by their text. The zero value is ready.
type accountPolicies struct {
	mu     sync.RWMutex
	parsed map[string]*policy.Policy
}

// parse returns a policy that was checked when it was stored; an error is a damaged record.
func (c *accountPolicies) parse(doc []byte) (*policy.Policy, error) {
	c.mu.RLock()
	p := c.parsed[string(doc)]
	c.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := policy.ParseIdentity(doc)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parsed == nil {
		c.parsed = make(map[string]*policy.Policy)
	}
	if len(c.parsed) >= maxAccountPolicies {
		for other := range c.parsed {
			delete(c.parsed, other)
			break
		}
	}
	c.parsed[string(doc)] = p
	return p, nil
}
