package limit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Class is a class of operations that has a limit of its own.
type Class uint8

// The classes. Default is what belongs to no other, such as reading or changing the settings of a bucket.
const (
	Default Class = iota
	Get
	Put
	List
	Delete
	Classes int = iota
)

// String returns the word the management API uses.
func (c Class) String() string { return [...]string{"default", "get", "put", "list", "delete"}[c] }

// Bounds of rules.
const (
	MaxPerMinute = 60_000_000     // operations
	MaxOut       = 1 << 30        // KB a second
	MaxQuota     = int64(1) << 60 // bytes
)

// Rules are what is set for one subject; zero means that there is no bound.
type Rules struct {
	PerMinute [Classes]int64 // operations a minute
	Out       int64          // KB (1024 bytes) sent a second
	Quota     int64          // bytes that the buckets of a user may hold together, or of a default
}

// IsZero reports whether nothing is bounded.
func (r Rules) IsZero() bool { return r == Rules{} }

// Validate returns what makes no sense.
func (r Rules) Validate() error {
	for c, n := range r.PerMinute {
		if n < 0 || n > MaxPerMinute {
			return fmt.Errorf("%v: must be 0 to %d operations a minute", Class(c), MaxPerMinute)
		}
	}
	if r.Out < 0 || r.Out > MaxOut {
		return fmt.Errorf("out: must be 0 to %d KB a second", MaxOut)
	}
	if r.Quota < 0 || r.Quota > MaxQuota {
		return fmt.Errorf("quota: must be 0 to %d bytes", MaxQuota)
	}
	return nil
}

// stored is the form of a record. Fields are only ever added.
type stored struct {
	PerMinute map[string]int64 `json:"ops_per_minute,omitempty"`
	Out       int64            `json:"out_kb_per_second,omitempty"`
	Quota     int64            `json:"quota_bytes,omitempty"`
}

// encode returns the value of a record.
func (r Rules) encode() string {
	s := stored{Out: r.Out, Quota: r.Quota, PerMinute: map[string]int64{}}
	for c, n := range r.PerMinute {
		if n != 0 {
			s.PerMinute[Class(c).String()] = n
		}
	}
	doc, _ := json.Marshal(s) // of numbers and known words: cannot fail
	return string(doc)
}

// decode reads the value of a record.
func decode(value string) (Rules, error) {
	var s stored
	if err := json.Unmarshal([]byte(value), &s); err != nil {
		return Rules{}, err
	}
	r := Rules{Out: s.Out, Quota: s.Quota}
	for c := range r.PerMinute {
		r.PerMinute[c] = s.PerMinute[Class(c).String()]
	}
	return r, r.Validate()
}

// Subject is what rules are about: a user, a bucket, or all users or buckets that have no rules of their own.
type Subject struct {
	kind byte
	name string
}

// User is the subject of the user with this id.
func User(id string) Subject { return Subject{'u', id} }

// Bucket is the subject of the bucket with this name.
func Bucket(name string) Subject { return Subject{'b', name} }

// DefaultUser and DefaultBucket are the subjects of the default quotas.
func DefaultUser() Subject { return Subject{kind: 'U'} }

// DefaultBucket is the subject of the quota that new buckets get.
func DefaultBucket() Subject { return Subject{kind: 'B'} }

const rulesPrefix = "l/"

// key returns the key of the subject's record.
func (s Subject) key() string { return rulesPrefix + string(s.kind) + "-" + s.name }

var errSubject = errors.New("not the key of a rule")

// parseKey reads what key returned.
func parseKey(key string) (Subject, error) {
	rest, ok := strings.CutPrefix(key, rulesPrefix)
	if !ok || len(rest) < 2 || rest[1] != '-' || !strings.Contains("ubUB", rest[:1]) {
		return Subject{}, errSubject
	}
	return Subject{rest[0], rest[2:]}, nil
}
