package wire

import (
	"errors"
	"sync"

	"holdfast"
)

// Registry knows the services of one kind that answer in this process. The zero value is empty. Safe for concurrent use.
type Registry[S any] struct {
	mu       sync.RWMutex
	services map[holdfast.ServiceID]S // guarded by mu
}

var errNotHere = errors.New("service does not run in this process")

// Add makes svc answer the requests for id from now on, in place of one added before.
func (r *Registry[S]) Add(id holdfast.ServiceID, svc S) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.services == nil {
		r.services = make(map[holdfast.ServiceID]S)
	}
	r.services[id] = svc
}

// Remove makes later requests for id fail with holdfast.NotOwner. Requests that have begun go on: the implementation
// waits for them in its own Close.
func (r *Registry[S]) Remove(id holdfast.ServiceID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.services, id)
}

// Find returns the service for a request that names its id; holdfast.NotOwner, with op as the operation, if it is not here.
func (r *Registry[S]) Find(op string, id uint64) (S, error) {
	r.mu.RLock()
	svc, ok := r.services[holdfast.ServiceID(id)]
	r.mu.RUnlock()
	if !ok {
		return svc, &holdfast.Error{Op: op, Kind: holdfast.NotOwner, ID: holdfast.ServiceID(id).String(), Err: errNotHere}
	}
	return svc, nil
}
