package account

import (
	"context"
	"sync"

	"holdfast"
)

// Bounds of lists.
const (
	pageSize    = 1000 // keys of records read at once
	readsAtOnce = 16
)

// UsersPage is a page of users in the order of their addresses, in lower case and escaped.
type UsersPage struct {
	Users []User
	Next  string // where the next page begins; "" at the end
}

// Users returns a page of users, from the place that the last page ended with. Secrets are filled in if they are asked for. Users who
// come or go meanwhile may be in it or not.
func (s *Store) Users(ctx context.Context, from string, secrets bool) (UsersPage, error) {
	keys, more, err := s.records.keys(ctx, mailPrefix, from, pageSize)
	if err != nil {
		return UsersPage{}, err
	}
	found, err := inParallel(keys, func(key string) (User, error) { return s.userAt(ctx, key, secrets) })
	page := UsersPage{Users: found}
	if more {
		page.Next = keys[len(keys)-1]
	}
	return page, err
}

// userAt reads the user whom an address leads to. Kinds: NotFound.
func (s *Store) userAt(ctx context.Context, key string, secrets bool) (User, error) {
	const op = "list users"
	r, err := s.records.read(ctx, key)
	if err != nil {
		return User{}, err
	}
	if r.Tag.IsZero() {
		return User{}, notFound(op, key)
	}
	var m mailRecord
	if err := m.decode(r.Value); err != nil {
		return User{}, err
	}
	if r, err = s.records.read(ctx, userKey(m.User)); err != nil {
		return User{}, err
	}
	var u userRecord
	if r.Tag.IsZero() {
		return User{}, notFound(op, m.User)
	}
	if err := u.decode(r.Value); err != nil {
		return User{}, err
	}
	return s.user(&u, secrets)
}

// Services returns the service accounts of a user in the order of their names. Kinds: NotFound.
func (s *Store) Services(ctx context.Context, user string) ([]Service, error) {
	const op = "list service accounts"
	if _, _, err := s.load(ctx, op, user); err != nil {
		return nil, err
	}
	prefix := accountKey(user, "")
	var all []Service
	for after := ""; ; {
		keys, more, err := s.records.keys(ctx, prefix, after, pageSize)
		if err != nil {
			return nil, err
		}
		found, err := inParallel(keys, func(key string) (Service, error) {
			a, _, err := s.loadService(ctx, op, user, key[len(prefix):])
			return a.service(), err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if !more || len(keys) == 0 {
			return all, nil
		}
		after = keys[len(keys)-1]
	}
}

// inParallel reads what keys stand for, in their order, and leaves out what is gone.
func inParallel[T any](keys []string, read func(key string) (T, error)) ([]T, error) {
	values, errs := make([]T, len(keys)), make([]error, len(keys))
	free := make(chan struct{}, readsAtOnce)
	var wg sync.WaitGroup
	for i, key := range keys {
		free <- struct{}{}
		wg.Go(func() {
			values[i], errs[i] = read(key)
			<-free
		})
	}
	wg.Wait()
	there := values[:0]
	for i := range values {
		switch {
		case errs[i] == nil:
			there = append(there, values[i])
		case !holdfast.Is(errs[i], holdfast.NotFound):
			return nil, errs[i]
		}
	}
	return there, nil
}
