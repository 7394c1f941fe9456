package discovery

import (
	"context"
	"errors"
	"io"
	"time"

	"holdfast"
)

var (
	errUnknown = errors.New("the configuration has no such service")
	errNoOwner = errors.New("nobody is known to run it now")
)

func unavailable(id holdfast.ServiceID, err error) error {
	return &holdfast.Error{Op: "discovery", Kind: holdfast.Unavailable, ID: id.String(), Err: err}
}

// watch notes errors of calls that may mean that the service is elsewhere now.
type watch struct {
	d  *Discovery
	id holdfast.ServiceID
}

func (w watch) see(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	switch holdfast.KindOf(err) {
	case holdfast.NotOwner, holdfast.Unavailable, holdfast.Unknown:
		w.d.failedAt(w.id)
	}
}

// remoteName is a name server in another process whose failures are noted.
type remoteName struct {
	to holdfast.NameService
	watch
}

var _ holdfast.NameService = (*remoteName)(nil)

// Lookup implements holdfast.NameService; so do the methods below.
func (s *remoteName) Lookup(ctx context.Context, qs []holdfast.Lookup) ([]holdfast.Answer, error) {
	answers, err := s.to.Lookup(ctx, qs)
	s.see(ctx, err)
	return answers, err
}

// List implements holdfast.NameService.
func (s *remoteName) List(ctx context.Context, rs []holdfast.ListRequest) ([]holdfast.Page, error) {
	pages, err := s.to.List(ctx, rs)
	s.see(ctx, err)
	return pages, err
}

// Apply implements holdfast.NameService.
func (s *remoteName) Apply(ctx context.Context, txs []holdfast.Tx) ([]holdfast.Result, error) {
	results, err := s.to.Apply(ctx, txs)
	s.see(ctx, err)
	return results, err
}

// BucketEpoch implements holdfast.NameService.
func (s *remoteName) BucketEpoch(ctx context.Context, root holdfast.DirID) (uint64, error) {
	epoch, err := s.to.BucketEpoch(ctx, root)
	s.see(ctx, err)
	return epoch, err
}

// Usage implements holdfast.NameService.
func (s *remoteName) Usage(ctx context.Context, root holdfast.DirID) (holdfast.Usage, error) {
	usage, err := s.to.Usage(ctx, root)
	s.see(ctx, err)
	return usage, err
}

// Settle implements holdfast.NameService.
func (s *remoteName) Settle(ctx context.Context, os holdfast.ServiceID, objects []holdfast.GuardedObject) ([]holdfast.Fate, error) {
	fates, err := s.to.Settle(ctx, os, objects)
	s.see(ctx, err)
	return fates, err
}

// Changes implements holdfast.NameService.
func (s *remoteName) Changes(ctx context.Context, after uint64, limit int) ([]holdfast.Change, error) {
	changes, err := s.to.Changes(ctx, after, limit)
	s.see(ctx, err)
	return changes, err
}

// Intents implements holdfast.NameService.
func (s *remoteName) Intents(ctx context.Context, after holdfast.IntentID, older time.Duration, limit int) ([]holdfast.Intent, error) {
	intents, err := s.to.Intents(ctx, after, older, limit)
	s.see(ctx, err)
	return intents, err
}

// Status implements holdfast.NameService.
func (s *remoteName) Status(ctx context.Context) (holdfast.NameStatus, error) {
	status, err := s.to.Status(ctx)
	s.see(ctx, err)
	return status, err
}

// remoteObject is an object server in another process whose failures are noted.
type remoteObject struct {
	to holdfast.ObjectService
	watch
}

var _ holdfast.ObjectService = (*remoteObject)(nil)

// Create implements holdfast.ObjectService; so do the methods below.
func (s *remoteObject) Create(ctx context.Context, r holdfast.CreateRequest, body io.Reader) (holdfast.Link, error) {
	link, err := s.to.Create(ctx, r, body)
	s.see(ctx, err)
	return link, err
}

// Read implements holdfast.ObjectService.
func (s *remoteObject) Read(ctx context.Context, r holdfast.ReadRequest, w io.Writer) (int64, error) {
	n, err := s.to.Read(ctx, r, w)
	s.see(ctx, err)
	return n, err
}

// Pin implements holdfast.ObjectService.
func (s *remoteObject) Pin(ctx context.Context, ids []holdfast.ObjectID, ttl time.Duration) error {
	err := s.to.Pin(ctx, ids, ttl)
	s.see(ctx, err)
	return err
}

// Free implements holdfast.ObjectService.
func (s *remoteObject) Free(ctx context.Context, ids []holdfast.ObjectID) error {
	err := s.to.Free(ctx, ids)
	s.see(ctx, err)
	return err
}

// Stat implements holdfast.ObjectService.
func (s *remoteObject) Stat(ctx context.Context, ids []holdfast.ObjectID) ([]holdfast.ObjectInfo, error) {
	infos, err := s.to.Stat(ctx, ids)
	s.see(ctx, err)
	return infos, err
}

// Objects implements holdfast.ObjectService.
func (s *remoteObject) Objects(ctx context.Context, after holdfast.ObjectID, limit int) ([]holdfast.ObjectInfo, error) {
	infos, err := s.to.Objects(ctx, after, limit)
	s.see(ctx, err)
	return infos, err
}

// Status implements holdfast.ObjectService.
func (s *remoteObject) Status(ctx context.Context) (holdfast.ObjectStatus, error) {
	status, err := s.to.Status(ctx)
	s.see(ctx, err)
	return status, err
}
