package discovery

import (
	"errors"
	"sync"

	"google.golang.org/grpc"
)

// connsPerNode is how many connections there are to a node: calls on one share its window and its one reading goroutine.
const connsPerNode = 2

// pool keeps connections to nodes. They connect when they are first used and again when they broke.
type pool struct {
	dial func(address string) (*grpc.ClientConn, error)

	mu     sync.Mutex
	conns  map[string]*[connsPerNode]*grpc.ClientConn // guarded by mu
	closed bool                                       // guarded by mu
}

func newPool(dial func(string) (*grpc.ClientConn, error)) *pool {
	return &pool{dial: dial, conns: make(map[string]*[connsPerNode]*grpc.ClientConn)}
}

var errClosed = errors.New("the pool of connections is closed")

// conn returns one of the connections to an address: the same for the same number.
func (p *pool) conn(address string, number int) (*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	set := p.conns[address]
	if set == nil {
		set = new([connsPerNode]*grpc.ClientConn)
		p.conns[address] = set
	}
	i := uint(number) % connsPerNode
	if set[i] == nil {
		c, err := p.dial(address)
		if err != nil {
			return nil, err
		}
		set[i] = c
	}
	return set[i], nil
}

// drop closes the connections to an address. Calls on them fail as if the node had gone.
func (p *pool) drop(address string) {
	p.mu.Lock()
	set := p.conns[address]
	delete(p.conns, address)
	p.mu.Unlock()
	_ = closeSet(set) // it is given up
}

func (p *pool) close() error {
	p.mu.Lock()
	all := p.conns
	p.conns, p.closed = nil, true
	p.mu.Unlock()
	var errs []error
	for _, set := range all {
		errs = append(errs, closeSet(set))
	}
	return errors.Join(errs...)
}

func closeSet(set *[connsPerNode]*grpc.ClientConn) error {
	if set == nil {
		return nil
	}
	var errs []error
	for _, c := range set {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
