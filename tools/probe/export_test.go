package probe

import (
	"context"
	"time"

	"holdfast/storage"
)

// WithPeer gives a measurement another view of the same filesystem.
func (o Options) WithPeer(fsys storage.FS, dir string) Options {
	o.peer = &observer{fs: fsys, root: dir}
	return o
}

// Within bounds each step.
func (o Options) Within(d time.Duration) Options {
	o.within = d
	return o
}

// WithRemote gives a measurement a peer that joins over the network, once told has handed it the token.
func (o Options) WithRemote(ctx context.Context, address string, told func(token string)) (Options, func(), error) {
	r, err := await(ctx, newToken(address), func(t token) { told(t.String()) })
	if err != nil {
		return o, func() {}, err
	}
	o.peer = r
	return o, r.close, nil
}

// Asks puts one request to an observer.
func Asks(fsys storage.FS, root, op, dir, name string) (found bool, problem string) {
	o := &observer{fs: fsys, root: root}
	defer o.close()
	a := o.do(request{Op: opOf(op), Dir: dir, Name: name})
	return a.Found, a.Err
}

func opOf(s string) op { return op(s) }

// The names that tests need.
var (
	FilesystemIn = filesystemIn
	ParseToken   = func(s string) (string, error) { t, err := parseToken(s); return t.String(), err }
)
