package account

import (
	"context"
	"strings"
	"time"

	"holdfast"
)

// sweepAfter is how old a record must be before a sweep takes it for left over: far more than a change may take.
const sweepAfter = time.Hour

// Sweep removes what changes that broke off have left: users without their address, service accounts without their user, keys without
// their account. All of it is invisible already. It returns how many records went. Any number of sweeps may run at once.
func (s *Store) Sweep(ctx context.Context) (removed int, err error) {
	for _, part := range []struct {
		prefix string
		sweep  func(ctx context.Context, key string) (bool, error)
	}{
		{userPrefix, s.sweepUser}, {accountPrefix, s.sweepAccount}, {keyPrefix, s.sweepKey},
	} {
		more := true
		for after := ""; more; {
			var keys []string
			if keys, more, err = s.records.keys(ctx, part.prefix, after, pageSize); err != nil {
				return removed, err
			}
			for _, key := range keys {
				gone, err := part.sweep(ctx, key)
				if err != nil && !holdfast.Is(err, holdfast.Precondition) { // a record that changed is not left over
					return removed, err
				}
				if gone {
					removed++
				}
				after = key
			}
		}
	}
	return removed, nil
}

func (s *Store) old(created int64) bool { return s.now().Sub(at(created)) >= sweepAfter }

// sweepUser removes the record of a user without an address.
func (s *Store) sweepUser(ctx context.Context, key string) (bool, error) {
	r, err := s.records.read(ctx, key)
	if err != nil || r.Tag.IsZero() {
		return false, err
	}
	var u userRecord
	if err := u.decode(r.Value); err != nil {
		return false, err
	}
	has, _, err := s.mailOwner(ctx, u.Mail)
	if err != nil || has == u.ID || !s.old(u.Created) {
		return false, err
	}
	err = s.records.drop(ctx, key, r.Tag)
	return err == nil, err
}

// sweepAccount removes a service account without a user.
func (s *Store) sweepAccount(ctx context.Context, key string) (bool, error) {
	user, name, _ := strings.Cut(key[len(accountPrefix):], "/")
	a, tag, err := s.loadService(ctx, "sweep", user, name)
	if err != nil || !s.old(a.Created) {
		return false, ignoreNotFound(err)
	}
	if _, _, err = s.load(ctx, "sweep", user); !holdfast.Is(err, holdfast.NotFound) {
		return false, err
	}
	err = s.records.drop(ctx, key, tag)
	return err == nil, err
}

// sweepKey removes an access key without a service account.
func (s *Store) sweepKey(ctx context.Context, key string) (bool, error) {
	r, err := s.records.read(ctx, key)
	if err != nil || r.Tag.IsZero() {
		return false, err
	}
	var index indexRecord
	if err := index.decode(r.Value); err != nil || !s.old(index.Created) {
		return false, err
	}
	a, _, err := s.loadService(ctx, "sweep", index.User, index.Name)
	if err == nil && indexKey(a.Key) == key || ignoreNotFound(err) != nil {
		return false, ignoreNotFound(err)
	}
	err = s.records.drop(ctx, key, r.Tag)
	return err == nil, err
}

func ignoreNotFound(err error) error {
	if holdfast.Is(err, holdfast.NotFound) {
		return nil
	}
	return err
}
