package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"holdfast"
)

// MaxPolicy is how large the policy of a service account may be, in bytes as kept: what IAM allows for a managed policy.
const MaxPolicy = 6 << 10

// maxServiceName is how long the name of a service account may be, as IAM has it for users.
const maxServiceName = 64

// Service is a service account of a user.
type Service struct {
	Name      string
	AccessKey string
	Secret    string // when it was made just now; it is never shown again
	Policy    []byte // nil: all that the user may do
	Created   time.Time
}

// CreateService makes a service account of a user, with a key pair of its own. An empty policy leaves it all rights of the user.
// Kinds: Invalid (name or policy), TooLarge (policy), NotFound (the user), Exists.
func (s *Store) CreateService(ctx context.Context, user, name string, policy []byte) (Service, error) {
	const op = "create service account"
	if err := checkServiceName(op, name); err != nil {
		return Service{}, err
	}
	policy, err := s.validPolicy(op, name, policy)
	if err != nil {
		return Service{}, err
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	if _, _, err := s.load(ctx, op, user); err != nil {
		return Service{}, err
	}
	a := accountRecord{V: format, Name: name, Policy: policy, Created: s.now().Unix()}
	if a.Key, err = s.takeKey(ctx, user, name); err != nil {
		return Service{}, err
	}
	secret := letters(secretLength, secretLetters)
	if a.Secret, err = s.seal(a.Key, secret); err != nil {
		return Service{}, err
	}
	if err := s.writeNewService(ctx, op, user, &a); err != nil {
		return Service{}, err
	}
	out := a.service()
	out.Secret = secret
	return out, nil
}

// takeKey writes the index record of a new access key: it leads nowhere until the account is written.
func (s *Store) takeKey(ctx context.Context, user, name string) (string, error) {
	value, err := encode(&indexRecord{V: format, User: user, Name: name, Created: s.now().Unix()})
	if err != nil {
		return "", err
	}
	for range maxRaces {
		key := servicePrefix + letters(serviceLength, keyLetters)
		err := s.records.write(ctx, indexKey(key), value, holdfast.ETag{})
		if !holdfast.Is(err, holdfast.Precondition) {
			return key, err
		}
	}
	return "", fail("create service account", holdfast.Conflict, name, nil)
}

// writeNewService writes the account: the step that makes it exist. Kinds: Exists.
func (s *Store) writeNewService(ctx context.Context, op, user string, a *accountRecord) error {
	value, err := encode(a)
	if err != nil {
		return err
	}
	err = s.records.write(ctx, accountKey(user, a.Name), value, holdfast.ETag{})
	if holdfast.Is(err, holdfast.Precondition) || holdfast.Is(err, holdfast.Unknown) {
		there, _, found := s.loadService(ctx, op, user, a.Name)
		switch {
		case found == nil && there.Key == a.Key: // by a write whose answer was lost
			return nil
		case found == nil:
			err = fail(op, holdfast.Exists, a.Name, errors.New("the user has a service account with this name"))
		}
	}
	if holdfast.Is(err, holdfast.Exists) {
		s.dropUnseen(ctx, indexKey(a.Key))
	}
	return err
}

// Service returns a service account of a user, without its secret. Kinds: NotFound.
func (s *Store) Service(ctx context.Context, user, name string) (Service, error) {
	const op = "service account"
	if _, _, err := s.load(ctx, op, user); err != nil {
		return Service{}, err
	}
	a, _, err := s.loadService(ctx, op, user, name)
	return a.service(), err
}

// SetPolicy replaces the policy of a service account; an empty one leaves it all rights of the user. Kinds: Invalid, TooLarge,
// NotFound.
func (s *Store) SetPolicy(ctx context.Context, user, name string, policy []byte) error {
	const op = "set policy"
	policy, err := s.validPolicy(op, name, policy)
	if err != nil {
		return err
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	if _, _, err := s.load(ctx, op, user); err != nil {
		return err
	}
	for range maxRaces {
		a, tag, err := s.loadService(ctx, op, user, name)
		if err != nil {
			return err
		}
		a.Policy = policy
		value, err := encode(&a)
		if err != nil {
			return err
		}
		err = s.records.write(ctx, accountKey(user, name), value, tag)
		if !holdfast.Is(err, holdfast.Precondition) {
			return s.known(ctx, err)
		}
	}
	return fail(op, holdfast.Conflict, name, nil)
}

// DeleteService revokes a service account. Nothing else of the user changes. Kinds: NotFound.
func (s *Store) DeleteService(ctx context.Context, user, name string) error {
	const op = "delete service account"
	ctx, cancel := settle(ctx)
	defer cancel()
	if _, _, err := s.load(ctx, op, user); err != nil {
		return s.known(ctx, err)
	}
	for range maxRaces {
		a, tag, err := s.loadService(ctx, op, user, name)
		if err != nil {
			return s.known(ctx, err)
		}
		err = s.records.drop(ctx, accountKey(user, name), tag)
		if holdfast.Is(err, holdfast.Precondition) {
			continue
		}
		if err = s.known(ctx, err); err == nil {
			s.dropUnseen(ctx, indexKey(a.Key))
		}
		return err
	}
	return fail(op, holdfast.Conflict, name, nil)
}

// dropAccounts removes the service accounts of a user who is gone.
func (s *Store) dropAccounts(ctx context.Context, user string) error {
	prefix := accountKey(user, "")
	for after := ""; ; {
		keys, more, err := s.records.keys(ctx, prefix, after, pageSize)
		if err != nil {
			return err
		}
		for _, key := range keys {
			a, tag, err := s.loadService(ctx, "delete user", user, key[len(prefix):])
			if holdfast.Is(err, holdfast.NotFound) {
				continue
			}
			if err == nil {
				err = s.records.drop(ctx, key, tag)
			}
			if err != nil {
				return err
			}
			s.dropUnseen(ctx, indexKey(a.Key))
			after = key
		}
		if !more {
			return nil
		}
	}
}

// loadService reads a service account. The user was looked at by the caller.
func (s *Store) loadService(ctx context.Context, op, user, name string) (accountRecord, holdfast.ETag, error) {
	var a accountRecord
	if checkServiceName(op, name) != nil {
		return a, holdfast.ETag{}, notFound(op, name)
	}
	r, err := s.records.read(ctx, accountKey(user, name))
	if err != nil {
		return a, r.Tag, err
	}
	if r.Tag.IsZero() {
		return a, r.Tag, notFound(op, name)
	}
	return a, r.Tag, a.decode(r.Value)
}

func (r *accountRecord) service() Service {
	return Service{Name: r.Name, AccessKey: r.Key, Policy: r.Policy, Created: at(r.Created)}
}

// checkServiceName allows what IAM allows in names
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html).
func checkServiceName(op, name string) error {
	ok := name != "" && len(name) <= maxServiceName
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("_+=,.@-", c) >= 0)
	}
	if !ok {
		return fail(op, holdfast.Invalid, name, errors.New("a name is 1 to 64 letters, digits and _+=,.@-"))
	}
	return nil
}

// validPolicy returns the form of a policy to keep, nil for none.
func (s *Store) validPolicy(op, name string, policy []byte) ([]byte, error) {
	if len(bytes.TrimSpace(policy)) == 0 {
		return nil, nil
	}
	checked, err := s.checkPolicy(policy)
	if err != nil {
		return nil, &holdfast.Error{Op: "account." + op, Kind: holdfast.Invalid, ID: name, Err: err}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, checked); err != nil {
		return nil, fail(op, holdfast.Invalid, name, err)
	}
	if compact.Len() > MaxPolicy {
		return nil, fail(op, holdfast.TooLarge, name, errors.New("the policy is larger than 6144 bytes"))
	}
	return compact.Bytes(), nil
}

// anyObject takes every JSON object for a policy.
func anyObject(document []byte) ([]byte, error) {
	var object map[string]json.RawMessage
	return document, json.Unmarshal(document, &object)
}
