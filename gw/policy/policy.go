package policy

import (
	"slices"
	"time"
)

// Effect is what a statement does, and the outcome of a decision.
type Effect uint8

// The effects. None is the outcome when no statement applies: the request is not allowed by the policy, and not forbidden either.
const (
	None Effect = iota
	Allow
	Deny
)

// String returns the effect as a policy writes it.
func (e Effect) String() string { return [...]string{"None", "Allow", "Deny"}[e] }

// MarshalText writes the effect as String does, for JSON.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Policy is a policy in compiled form. It is never changed: safe for concurrent use.
type Policy struct {
	bucket     string // "" for an identity policy
	statements []statement
	order      []int // indexes of statements, those that deny first
}

// statement is one compiled statement.
type statement struct {
	sid         string
	effect      Effect
	principals  principals // of a bucket policy
	actions     []actionPattern
	notAction   bool
	names       actionSet // the S3 actions it is about, NotAction regarded
	resources   []resourcePattern
	notResource bool
	conditions  []condition
}

// Request is what is decided.
type Request struct {
	Principal Principal
	Action    string    // such as "s3:GetObject"
	Resource  string    // see Resource; "" for the service
	Owner     string    // user id of the bucket's owner: aws:ResourceAccount; "" where there is no bucket
	Now       time.Time // aws:CurrentTime
	Context   Context   // nil: has no keys
}

// Context is the rest of what is known of a request. It is asked only for keys that the policy's statements need, and may be asked twice for
// one.
type Context interface {
	// Lookup returns the value of a key. Name is what follows the key of a family: the key of a tag.
	Lookup(key Key, name string) Value
}

// Resource returns a bucket, or with a key the object, as the Resource of a [Request].
func Resource(bucket, key string) string {
	if key == "" {
		return bucket
	}
	return bucket + "/" + key
}

// value returns what the context of the request has for a key.
func (r *Request) value(k keyRef) Value {
	switch {
	case k.never:
		return Value{}
	case k.groups&groupExistingTags != 0 && r.blindToTags():
		return Value{}
	}
	switch k.key {
	case KeyCurrentTime:
		return Instant(r.Now)
	case KeyEpochTime:
		if r.Now.IsZero() {
			return Value{}
		}
		return Number(float64(r.Now.Unix()))
	case KeyPrincipalAccount:
		return present(r.Principal.Account)
	case KeyPrincipalArn:
		return present(r.Principal.ARN())
	case KeyPrincipalType:
		return Text(r.Principal.kindName())
	case KeyPrincipalService:
		return present(r.Principal.Service)
	case KeyPrincipalIsAWS:
		return Bool(r.Principal.Service != "")
	case KeyResourceAccount, KeyS3Account:
		return present(r.Owner)
	case KeyUserID:
		return Text(r.Principal.userID())
	case KeyUserName:
		return present(r.Principal.User)
	}
	if r.Context == nil {
		return Value{}
	}
	return r.Context.Lookup(k.key, k.name)
}

// present returns text, none if it is empty.
func present(s string) Value {
	if s == "" {
		return Value{}
	}
	return Text(s)
}

// blindToTags reports whether the request's action is one whose authorisation does not see the object's tags.
func (r *Request) blindToTags() bool {
	i, ok := actionIndex[r.Action]
	return ok && actions[i].keys&groupBlindTags != 0
}

// Named returns the principals that the policy names, for the caller to check that they exist. If one does not, S3 refuses the
// policy with [InvalidPrincipal].
func (p *Policy) Named() []Principal {
	var named []Principal
	for i := range p.statements {
		for _, who := range p.statements[i].principals.named {
			if !slices.Contains(named, who) {
				named = append(named, who)
			}
		}
	}
	return named
}
