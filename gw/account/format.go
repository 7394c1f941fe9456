package account

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"holdfast"
)

// format is the number that all values begin with.
const format = 1

// Prefixes of the keys.
const (
	userPrefix    = "u/i/"
	mailPrefix    = "u/m/"
	accountPrefix = "u/a/"
	keyPrefix     = "u/k/"
)

func userKey(id string) string            { return userPrefix + id }
func mailKey(email string) string         { return mailPrefix + url.QueryEscape(strings.ToLower(email)) }
func accountKey(user, name string) string { return accountPrefix + user + "/" + name }
func indexKey(accessKey string) string    { return keyPrefix + accessKey }

// state is whether a user's keys sign; stored.
type state string

const (
	enabled  state = "enabled"
	disabled state = "disabled"
	deleting state = "deleting" // a deletion has begun: as disabled, and may be gone on with or taken back
)

// userRecord is the value of a user.
type userRecord struct {
	V       int         `json:"v"`
	ID      string      `json:"id"`
	Mail    string      `json:"mail"`
	State   state       `json:"state"`
	System  bool        `json:"system,omitempty"`
	Created int64       `json:"created"`
	Keys    []keyRecord `json:"keys"`
}

// keyRecord is a key pair of a user.
type keyRecord struct {
	Key     string `json:"key"`
	Secret  []byte `json:"secret"` // sealed
	Created int64  `json:"created"`
}

// mailRecord is the value under an address.
type mailRecord struct {
	V    int    `json:"v"`
	User string `json:"user"`
}

// accountRecord is the value of a service account.
type accountRecord struct {
	V       int             `json:"v"`
	Name    string          `json:"name"`
	Key     string          `json:"key"`
	Secret  []byte          `json:"secret"` // sealed
	Policy  json.RawMessage `json:"policy,omitempty"`
	Created int64           `json:"created"`
}

// indexRecord is the value under the access key of a service account.
type indexRecord struct {
	V       int    `json:"v"`
	User    string `json:"user"`
	Name    string `json:"name"`
	Created int64  `json:"created"`
}

func encode(record any) (string, error) {
	data, err := json.Marshal(record)
	return string(data), err
}

// decode reads a value that encode made. An unknown format is Unsupported, anything else that is no value Corrupt.
func decode(key, value string, into any, v *int) error {
	if err := json.Unmarshal([]byte(value), into); err != nil {
		return &holdfast.Error{Op: "account.decode", Kind: holdfast.Corrupt, ID: key, Err: err}
	}
	if *v != format {
		return &holdfast.Error{Op: "account.decode", Kind: holdfast.Unsupported, ID: key, Err: fmt.Errorf("format %d", *v)}
	}
	return nil
}

func (r *userRecord) decode(value string) error    { return decode("user", value, r, &r.V) }
func (r *mailRecord) decode(value string) error    { return decode("address", value, r, &r.V) }
func (r *accountRecord) decode(value string) error { return decode("account", value, r, &r.V) }
func (r *indexRecord) decode(value string) error   { return decode("key", value, r, &r.V) }

// key returns the index of a key pair, -1 if the user does not have it.
func (r *userRecord) key(accessKey string) int {
	for i := range r.Keys {
		if r.Keys[i].Key == accessKey {
			return i
		}
	}
	return -1
}

func at(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
