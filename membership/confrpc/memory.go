package confrpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/storage"
)

var errForeign = errors.New("the other end is of another cluster")

// Answer is a node's side of Hello: it refuses foreign clusters and versions that it does not speak.
func Answer(me, from Greeting) (Greeting, error) {
	const op = "confrpc.hello"
	if from.Cluster != me.Cluster {
		return Greeting{}, holdfast.E(op, holdfast.Denied, errForeign)
	}
	if _, err := me.Speaks.Choose(from.Speaks); err != nil {
		return Greeting{}, err
	}
	return me, nil
}

// Memory is a [Service] for tests, with fields to set before it is used.
type Memory struct {
	Me    Greeting
	State Status
	Files map[string][]byte
	// ReleaseFunc is called by Release; nil: everything is released.
	ReleaseFunc func(id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error

	mu       sync.Mutex
	versions []config.Config
	changed  chan struct{}
	owners   map[holdfast.ServiceID]Owner
}

var _ Service = (*Memory)(nil)

// SetOwner says where a service is.
func (m *Memory) SetOwner(o Owner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.owners == nil {
		m.owners = make(map[holdfast.ServiceID]Owner)
	}
	m.owners[o.Service] = o
}

// Hello implements [Service].
func (m *Memory) Hello(_ context.Context, from Greeting) (Greeting, error) { return Answer(m.Me, from) }

// Newest implements [Service].
func (m *Memory) Newest(ctx context.Context, after uint64, wait time.Duration) (config.Config, error) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		m.mu.Lock()
		n := len(m.versions)
		if m.changed == nil {
			m.changed = make(chan struct{})
		}
		changed := m.changed
		m.mu.Unlock()
		if uint64(n) > after {
			return m.last(n)
		}
		select {
		case <-ctx.Done():
			return config.Config{}, holdfast.E("newest", holdfast.Aborted, ctx.Err())
		case <-timer.C:
			return m.last(n)
		case <-changed:
		}
	}
}

func (m *Memory) last(n int) (config.Config, error) {
	if n == 0 {
		return config.Config{}, holdfast.E("newest", holdfast.NotFound, nil)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.versions[n-1].Clone(), nil
}

// Publish implements [Service].
func (m *Memory) Publish(_ context.Context, base uint64, c config.Config) (config.Config, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := uint64(len(m.versions)); n != base {
		return config.Config{}, holdfast.E("publish", holdfast.Conflict, fmt.Errorf("the newest version is %d", n))
	}
	c = c.Clone()
	c.Format, c.Version, c.Nonce = 1, base+1, storage.NewNonce().String()
	if err := c.Validate(); err != nil {
		return config.Config{}, holdfast.E("publish", holdfast.Invalid, err)
	}
	m.versions = append(m.versions, c)
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
	return c.Clone(), nil
}

// Owners implements [Service].
func (m *Memory) Owners(_ context.Context, ids []holdfast.ServiceID) ([]Owner, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Owner
	if len(ids) == 0 {
		for _, o := range m.owners {
			found = append(found, o)
		}
	}
	for _, id := range ids {
		if o, ok := m.owners[id]; ok {
			found = append(found, o)
		}
	}
	return found, nil
}

// Status implements [Service].
func (m *Memory) Status(context.Context) (Status, error) { return m.State, nil }

// Release implements [Service].
func (m *Memory) Release(_ context.Context, id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error {
	if m.ReleaseFunc == nil {
		return nil
	}
	return m.ReleaseFunc(id, epoch, to)
}

// Secrets implements [Service].
func (m *Memory) Secrets(context.Context) (map[string][]byte, error) { return m.Files, nil }

// Renew implements [Service]: it grants the request itself.
func (m *Memory) Renew(_ context.Context, request []byte) (ca.Grant, error) {
	return ca.Grant{Certificate: request, Bundle: []byte(m.Me.Cluster)}, nil
}
