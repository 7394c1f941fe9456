package account

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"holdfast"
)

// maxEmail is how long an address may be (RFC 5321, section 4.5.3.1.3, without the brackets).
const maxEmail = 254

// Create makes a user with one key pair. System users may use the management API. Kinds: Invalid (the address), Exists.
func (s *Store) Create(ctx context.Context, email string, system bool) (User, error) {
	const op = "create user"
	if !validEmail(email) {
		return User{}, fail(op, holdfast.Invalid, email, errors.New("the e-mail address is not valid"))
	}
	ctx, cancel := settle(ctx)
	defer cancel()
	u := userRecord{V: format, ID: newID(), Mail: email, State: enabled, System: system, Created: s.now().Unix()}
	if _, err := s.newKey(&u); err != nil {
		return User{}, err
	}
	value, err := encode(&u)
	if err != nil {
		return User{}, err
	}
	if err := s.records.write(ctx, userKey(u.ID), value, holdfast.ETag{}); err != nil {
		return User{}, err
	}
	if err := s.claim(ctx, op, email, u.ID); err != nil {
		if holdfast.Is(err, holdfast.Exists) {
			s.dropUnseen(ctx, userKey(u.ID))
		}
		return User{}, err
	}
	return s.user(&u, true)
}

func validEmail(email string) bool {
	name, host, ok := strings.Cut(email, "@")
	return ok && name != "" && host != "" && len(email) <= maxEmail && utf8.ValidString(email) &&
		!strings.ContainsFunc(email, func(c rune) bool {
			return unicode.IsSpace(c) || !unicode.IsPrint(c) || strings.ContainsRune(`<>"(),;:\`, c)
		})
}

// claim gives an address to a user whose record is written: the step that makes the user exist. Kinds: Exists, Unknown.
func (s *Store) claim(ctx context.Context, op, email, id string) error {
	value, err := encode(&mailRecord{V: format, User: id})
	if err != nil {
		return err
	}
	for range maxRaces {
		has, tag, err := s.mailOwner(ctx, email)
		switch {
		case err != nil:
			return err
		case has == id: // by a write whose answer was lost
			return nil
		case has != "":
			// A claim is written after its user and removed before it, so without one it is what is left of a sweep that met a
			// creation which slept for more than an hour. Nobody will ever write that user.
			r, err := s.records.read(ctx, userKey(has))
			if err != nil {
				return err
			}
			if !r.Tag.IsZero() {
				return fail(op, holdfast.Exists, email, errors.New("there is a user with this e-mail address"))
			}
		}
		err = s.records.write(ctx, mailKey(email), value, tag)
		if err == nil || !holdfast.Is(err, holdfast.Precondition) && !holdfast.Is(err, holdfast.Unknown) {
			return err
		}
	}
	return fail(op, holdfast.Unknown, email, nil)
}

// dropUnseen removes a record that decides nothing. If that fails, a sweep does it.
func (s *Store) dropUnseen(ctx context.Context, key string) {
	_ = s.records.drop(ctx, key, holdfast.ETag{})
}

// Resolve returns the id of the user with an address. Addresses are compared without regard to case. Kinds: NotFound.
func (s *Store) Resolve(ctx context.Context, email string) (string, error) {
	if s.root.Name != "" && strings.EqualFold(email, s.root.Name) {
		return s.root.ID, nil
	}
	const op = "resolve address"
	if !validEmail(email) {
		return "", notFound(op, email)
	}
	id, _, err := s.mailOwner(ctx, email)
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", notFound(op, email)
	}
	_, _, err = s.load(ctx, op, id)
	return id, err
}

// User returns a user with the secrets. Kinds: NotFound.
func (s *Store) User(ctx context.Context, id string) (User, error) {
	u, _, err := s.load(ctx, "user", id)
	if err != nil {
		return User{}, err
	}
	return s.user(&u, true)
}

// SetEnabled lets the keys of a user and of its service accounts sign, or not. Kinds: NotFound.
func (s *Store) SetEnabled(ctx context.Context, id string, on bool) error {
	ctx, cancel := settle(ctx)
	defer cancel()
	_, err := s.change(ctx, "enable user", id, func(u *userRecord) error {
		u.State = disabled
		if on {
			u.State = enabled
		}
		return nil
	})
	return s.known(ctx, err)
}

// GenerateKey gives a user another key pair. Kinds: NotFound; Conflict with [ErrTooManyKeys].
func (s *Store) GenerateKey(ctx context.Context, id string) (User, KeyPair, error) {
	ctx, cancel := settle(ctx)
	defer cancel()
	var pair KeyPair
	u, err := s.change(ctx, "generate key", id, func(u *userRecord) (err error) {
		pair, err = s.newKey(u)
		return err
	})
	if err != nil {
		return User{}, KeyPair{}, err
	}
	user, err := s.user(&u, false)
	return user, pair, err
}

// RevokeKey takes a key pair from a user. Kinds: NotFound (the user, or the key).
func (s *Store) RevokeKey(ctx context.Context, id, accessKey string) error {
	ctx, cancel := settle(ctx)
	defer cancel()
	const op = "revoke key"
	_, err := s.change(ctx, op, id, func(u *userRecord) error {
		i := u.key(accessKey)
		if i < 0 {
			return notFound(op, accessKey)
		}
		u.Keys = append(u.Keys[:i], u.Keys[i+1:]...)
		return nil
	})
	return s.known(ctx, err)
}

// Delete removes a user with its service accounts. Kinds: NotFound; NotEmpty while the user owns a bucket; Unsupported for root.
//
// The keys stop signing before the buckets are looked for, so only a request that was under way by then can still make a bucket.
func (s *Store) Delete(ctx context.Context, id string) error {
	ctx, cancel := settle(ctx)
	defer cancel()
	const op = "delete user"
	if err := s.ownsNothing(ctx, op, id); err != nil {
		return err
	}
	var before state
	u, err := s.change(ctx, op, id, func(u *userRecord) error {
		if before = u.State; before == deleting {
			before = disabled // an earlier deletion did not come to its end
		}
		u.State = deleting
		return nil
	})
	if err = s.known(ctx, err); err != nil {
		return err
	}
	if err := s.ownsNothing(ctx, op, id); err != nil {
		return errors.Join(err, s.restore(ctx, id, before))
	}
	if err := s.unclaim(ctx, u.Mail, id); err != nil {
		return err
	}
	// The user is gone. What is left is invisible; if this breaks off, a sweep goes on with it.
	if err := s.dropAccounts(ctx, id); err == nil {
		s.dropUnseen(ctx, userKey(id))
	}
	return s.known(ctx, nil)
}

func (s *Store) ownsNothing(ctx context.Context, op, id string) error {
	owns, err := s.records.owns(ctx, id)
	if err == nil && owns {
		err = fail(op, holdfast.NotEmpty, id, errors.New("the user owns buckets: delete them or change their owner first"))
	}
	return err
}

// restore takes a deletion back.
func (s *Store) restore(ctx context.Context, id string, to state) error {
	_, err := s.change(ctx, "restore user", id, func(u *userRecord) error {
		if u.State == deleting {
			u.State = to
		}
		return nil
	})
	return err
}

// unclaim removes the address of a user: the step that makes it not exist.
func (s *Store) unclaim(ctx context.Context, email, id string) error {
	for range maxRaces {
		has, tag, err := s.mailOwner(ctx, email)
		if err != nil || has != id {
			return err
		}
		if err = s.records.drop(ctx, mailKey(email), tag); !holdfast.Is(err, holdfast.Precondition) {
			return err
		}
	}
	return fail("delete user", holdfast.Conflict, id, nil)
}
