package volume

import (
	"context"
	"sync"

	"holdfast"
)

// shareMoves lets one request of this process at a time move the shares of a bucket; for the others the room is often there when it is
// their turn. The zero value is ready.
type shareMoves struct {
	mu    sync.Mutex
	moves map[holdfast.DirID]*shareMove // by root
}

type shareMove struct {
	turn  chan struct{} // holds a token while nobody moves
	users int           // that move or wait
}

// lock waits for the bucket's turn, or for ctx.
func (s *shareMoves) lock(ctx context.Context, root holdfast.DirID) (unlock func(), err error) {
	s.mu.Lock()
	m := s.moves[root]
	if m == nil {
		if s.moves == nil {
			s.moves = make(map[holdfast.DirID]*shareMove)
		}
		m = &shareMove{turn: make(chan struct{}, 1)}
		m.turn <- struct{}{}
		s.moves[root] = m
	}
	m.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if m.users--; m.users == 0 {
			delete(s.moves, root)
		}
	}
	select {
	case <-m.turn:
		return func() { m.turn <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, holdfast.E("volume.quota", holdfast.Aborted, ctx.Err())
	}
}
