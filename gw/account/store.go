package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast"
	"holdfast/volume"
)

// MaxKeys is how many key pairs a user may have.
const MaxKeys = 2

// Bounds of changes.
const (
	maxRaces  = 16 // attempts of a change that meets others
	changeFor = 30 * time.Second
)

// ErrTooManyKeys is in the chain of an error when a user has [MaxKeys] key pairs already.
var ErrTooManyKeys = errors.New("the user has two access keys already: revoke one first")

// Sealer encrypts secrets under the cluster's key; *keyring.Ring is one. Context says whose secret it is.
type Sealer interface {
	Seal(secret, context []byte) ([]byte, error)
	Open(sealed, context []byte) ([]byte, error)
}

// Root is the user that exists without a record: its key comes from the server's own configuration. The zero Root is none.
type Root struct {
	ID        string
	Name      string
	AccessKey string
	Secret    string
}

// Options configure a [Store]. Volume and Keys are required.
type Options struct {
	Volume *volume.Volume
	Keys   Sealer
	Root   Root
	// CheckPolicy validates the policy of a service account and returns the form to keep. Nil: any JSON object is taken.
	CheckPolicy func(document []byte) ([]byte, error)
}

// Store is the users of a volume. Safe for concurrent use; any number of processes may have one.
type Store struct {
	records     records
	keys        Sealer
	root        Root
	checkPolicy func([]byte) ([]byte, error)
	now         func() time.Time
	identities  cache[Identity]
	names       cache[string]
}

// New returns the users of a volume. It does no I/O.
func New(o Options) *Store {
	return newStore(volumeRecords{o.Volume}, o)
}

func newStore(r records, o Options) *Store {
	if o.CheckPolicy == nil {
		o.CheckPolicy = anyObject
	}
	return &Store{records: r, keys: o.Keys, root: o.Root, checkPolicy: o.CheckPolicy, now: time.Now}
}

// User is a user as of the moment it was read.
type User struct {
	ID      string
	Email   string
	Enabled bool
	System  bool // may use the management API, and everything in every bucket
	Created time.Time
	Keys    []KeyPair
}

// KeyPair is what a user signs with.
type KeyPair struct {
	AccessKey string
	Secret    string // "" where secrets were not asked for
	Created   time.Time
}

// fail makes an error of this package.
func fail(op string, kind holdfast.Kind, id string, err error) error {
	return &holdfast.Error{Op: "account." + op, Kind: kind, ID: id, Err: err}
}

func notFound(op, id string) error { return fail(op, holdfast.NotFound, id, nil) }

// settle returns the context of a change: it ends when it is done, not when whoever asked for it goes away, since a right that was
// taken away must also be made known.
func settle(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), changeFor)
}

// known makes a change known to all gateways, after an attempt at it ended in err: also when it may have taken effect, and when there was
// nothing to do, since an earlier attempt may have died before this step.
func (s *Store) known(ctx context.Context, err error) error {
	if bump := s.records.bump(ctx); bump != nil && err == nil {
		return fail("make known", holdfast.Unknown, "", bump)
	}
	return err
}

// load reads a user who exists, and the tag of the record.
func (s *Store) load(ctx context.Context, op, id string) (userRecord, holdfast.ETag, error) {
	var u userRecord
	if id == s.root.ID && id != "" {
		return userRecord{V: format, ID: id, Mail: s.root.Name, State: enabled, System: true}, holdfast.ETag{}, nil
	}
	if !ValidID(id) {
		return u, holdfast.ETag{}, notFound(op, id)
	}
	r, err := s.records.read(ctx, userKey(id))
	if err != nil {
		return u, r.Tag, err
	}
	if r.Tag.IsZero() {
		return u, r.Tag, notFound(op, id)
	}
	if err := u.decode(r.Value); err != nil {
		return u, r.Tag, err
	}
	has, _, err := s.mailOwner(ctx, u.Mail)
	if err == nil && has != id {
		err = notFound(op, id) // not made yet, or removed already
	}
	return u, r.Tag, err
}

// mailOwner returns the id under an address, "" if there is none, and the tag of that record.
func (s *Store) mailOwner(ctx context.Context, email string) (string, holdfast.ETag, error) {
	r, err := s.records.read(ctx, mailKey(email))
	if err != nil || r.Tag.IsZero() {
		return "", r.Tag, err
	}
	var m mailRecord
	err = m.decode(r.Value)
	return m.User, r.Tag, err
}

// change edits the record of a user; edit may be called again. It returns the record as written.
func (s *Store) change(ctx context.Context, op, id string, edit func(*userRecord) error) (userRecord, error) {
	if id == s.root.ID && id != "" {
		return userRecord{}, fail(op, holdfast.Unsupported, id, errors.New("the root user is in the server's own files"))
	}
	for range maxRaces {
		u, tag, err := s.load(ctx, op, id)
		if err != nil {
			return u, err
		}
		if err := edit(&u); err != nil {
			return u, err
		}
		value, err := encode(&u)
		if err != nil {
			return u, err
		}
		err = s.records.write(ctx, userKey(id), value, tag)
		if !holdfast.Is(err, holdfast.Precondition) {
			return u, err
		}
	}
	return userRecord{}, fail(op, holdfast.Conflict, id, nil)
}

// seal seals the secret of an access key.
func (s *Store) seal(accessKey, secret string) ([]byte, error) {
	return s.keys.Seal([]byte(secret), keyContext(accessKey))
}

// open opens what seal made.
func (s *Store) open(accessKey string, sealed []byte) (string, error) {
	secret, err := s.keys.Open(sealed, keyContext(accessKey))
	if err != nil {
		return "", fmt.Errorf("account.secret of %s: %w", accessKey, err)
	}
	return string(secret), nil
}

func keyContext(accessKey string) []byte { return []byte("holdfast account key " + accessKey) }

// newKey makes a key pair of a user.
func (s *Store) newKey(u *userRecord) (KeyPair, error) {
	if len(u.Keys) >= MaxKeys {
		return KeyPair{}, fail("new key", holdfast.Conflict, u.ID, ErrTooManyKeys)
	}
	pair := KeyPair{Secret: letters(secretLength, secretLetters), Created: at(s.now().Unix())}
	for pair.AccessKey == "" || u.key(pair.AccessKey) >= 0 {
		pair.AccessKey = u.ID + letters(suffixLength, keyLetters)
	}
	sealed, err := s.seal(pair.AccessKey, pair.Secret)
	if err != nil {
		return KeyPair{}, err
	}
	u.Keys = append(u.Keys, keyRecord{Key: pair.AccessKey, Secret: sealed, Created: pair.Created.Unix()})
	return pair, nil
}

// user shows a record, with or without the secrets.
func (s *Store) user(u *userRecord, secrets bool) (User, error) {
	out := User{ID: u.ID, Email: u.Mail, Enabled: u.State == enabled, System: u.System, Created: at(u.Created)}
	for _, k := range u.Keys {
		pair := KeyPair{AccessKey: k.Key, Created: at(k.Created)}
		if secrets {
			var err error
			if pair.Secret, err = s.open(k.Key, k.Secret); err != nil {
				return User{}, err
			}
		}
		out.Keys = append(out.Keys, pair)
	}
	return out, nil
}
