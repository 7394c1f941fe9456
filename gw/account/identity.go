package account

import (
	"context"
	"strings"

	"holdfast"
)

// Identity is who an access key belongs to.
type Identity struct {
	User    string // id
	Email   string
	Secret  string
	Service string // name of the service account, "" for the user's own keys
	Policy  []byte // of the service account; nil: all that the user may do
	System  bool
}

// Identity finds the user whose enabled access key this is, false if there is none. It goes by every change that was acknowledged
// before the call; while the epoch stands still it costs one look at it. Negative answers are not remembered.
func (s *Store) Identity(ctx context.Context, accessKey string) (Identity, bool, error) {
	if accessKey == s.root.AccessKey && accessKey != "" {
		return Identity{User: s.root.ID, Email: s.root.Name, Secret: s.root.Secret, System: true}, true, nil
	}
	service := strings.HasPrefix(accessKey, servicePrefix) && len(accessKey) == len(servicePrefix)+serviceLength
	if !service && owner(accessKey) == "" {
		return Identity{}, false, nil // not a key that was ever given out
	}
	epoch, err := s.records.epoch(ctx)
	if err != nil {
		return Identity{}, false, err
	}
	now := s.now()
	if id, ok := s.identities.get(accessKey, epoch, now); ok {
		return id, true, nil
	}
	var id Identity
	if service {
		id, err = s.serviceIdentity(ctx, accessKey)
	} else {
		id, err = s.userIdentity(ctx, accessKey)
	}
	if holdfast.Is(err, holdfast.NotFound) {
		return Identity{}, false, nil
	}
	if err != nil {
		return Identity{}, false, err
	}
	s.identities.put(accessKey, epoch, now, id)
	return id, true, nil
}

// userIdentity reads who has a key of a user. Kinds: NotFound.
func (s *Store) userIdentity(ctx context.Context, accessKey string) (Identity, error) {
	const op = "identity"
	u, _, err := s.load(ctx, op, owner(accessKey))
	if err != nil {
		return Identity{}, err
	}
	i := u.key(accessKey)
	if i < 0 || u.State != enabled {
		return Identity{}, notFound(op, accessKey)
	}
	secret, err := s.open(accessKey, u.Keys[i].Secret)
	return Identity{User: u.ID, Email: u.Mail, Secret: secret, System: u.System}, err
}

// serviceIdentity reads who has a key of a service account. Kinds: NotFound.
func (s *Store) serviceIdentity(ctx context.Context, accessKey string) (Identity, error) {
	const op = "identity"
	r, err := s.records.read(ctx, indexKey(accessKey))
	if err != nil {
		return Identity{}, err
	}
	if r.Tag.IsZero() {
		return Identity{}, notFound(op, accessKey)
	}
	var index indexRecord
	if err := index.decode(r.Value); err != nil {
		return Identity{}, err
	}
	u, _, err := s.load(ctx, op, index.User)
	if err != nil {
		return Identity{}, err
	}
	a, _, err := s.loadService(ctx, op, index.User, index.Name)
	if err != nil {
		return Identity{}, err
	}
	if a.Key != accessKey || u.State != enabled {
		return Identity{}, notFound(op, accessKey)
	}
	secret, err := s.open(accessKey, a.Secret)
	return Identity{User: u.ID, Email: u.Mail, Secret: secret, Service: a.Name, Policy: a.Policy, System: u.System}, err
}

// UserByID reports whether there is a user with this id.
func (s *Store) UserByID(ctx context.Context, id string) (bool, error) {
	_, _, err := s.load(ctx, "user", id)
	if holdfast.Is(err, holdfast.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// UserByEmail returns the id of the user with this address, false if there is none.
func (s *Store) UserByEmail(ctx context.Context, email string) (string, bool, error) {
	id, err := s.Resolve(ctx, email)
	if holdfast.Is(err, holdfast.NotFound) {
		return "", false, nil
	}
	return id, err == nil, err
}

// Name returns how a user is shown: the e-mail address, or the id of one who is not there. It is remembered as identities are.
func (s *Store) Name(ctx context.Context, id string) (string, error) {
	if !ValidID(id) && id != s.root.ID {
		return id, nil
	}
	epoch, err := s.records.epoch(ctx)
	if err != nil {
		return "", err
	}
	now := s.now()
	if name, ok := s.names.get(id, epoch, now); ok {
		return name, nil
	}
	u, _, err := s.load(ctx, "name", id)
	name := u.Mail
	if holdfast.Is(err, holdfast.NotFound) {
		name, err = id, nil
	}
	if err == nil {
		s.names.put(id, epoch, now, name)
	}
	return name, err
}
