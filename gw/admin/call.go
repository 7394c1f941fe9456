package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"holdfast"
	"holdfast/gw/account"
	"holdfast/gw/limit"
	"holdfast/gw/s3api"
	"holdfast/gw/space"
	"holdfast/gw/usage"
	"holdfast/volume"
)

// API answers management requests. Safe for concurrent use.
type API struct {
	Volume   *volume.Volume
	Accounts *account.Store
	// Grants returns the access control list of a bucket for display. Nil: the owner has FULL_CONTROL.
	Grants func(*volume.Bucket) ([]Grant, error)
	// Explain decides as if the question were a request. Nil: there are no explanations.
	Explain func(context.Context, *Question) (*Explanation, error)
	Limits  *limit.Limiter // nil: there are no limits and no quotas of users
	Usage   usage.Objects
	Space   *space.Meter // nil: peaks are the present sizes, and sums over time 0
}

// Call is one request.
type Call struct {
	Query    url.Values             // its first resource, such as ostor-users, included
	Document func() ([]byte, error) // reads the body
	W        io.Writer              // takes the JSON of the answer; nothing written: the answer has no body
}

// json writes the whole answer.
func (c *Call) json(answer any) error {
	data, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	_, _ = c.W.Write(data) // the client is gone: there is nobody left to tell
	return nil
}

// only refuses parameters that the request does not have. Those of signatures are S3's, as is x-id.
func (c *Call) only(names ...string) error { return c.onlyMany("", names...) }

// onlyMany is only for a request with one parameter more, which may be there more than once.
func (c *Call) onlyMany(many string, names ...string) error {
	for name := range c.Query {
		known := name == many || strings.HasPrefix(name, "ostor-") || strings.HasPrefix(strings.ToLower(name), "x-") ||
			name == "AWSAccessKeyId" || name == "Signature" || name == "Expires"
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			return s3api.BadArgument(name, c.Query.Get(name), "This request does not have the parameter")
		}
	}
	for _, name := range names {
		if len(c.Query[name]) > 1 {
			return s3api.BadArgument(name, c.Query.Get(name), "The parameter is there more than once")
		}
	}
	return nil
}

// has reports whether a flag is set. A flag has no value.
func (c *Call) has(flag string) bool {
	_, ok := c.Query[flag]
	return ok
}

// value returns a parameter that must be there.
func (c *Call) value(name string) (string, error) {
	v := c.Query.Get(name)
	if v == "" {
		return "", s3api.BadArgument(name, "", "The parameter is missing")
	}
	return v, nil
}

// one checks that exactly one of some parameters is there and returns it.
func (c *Call) one(names ...string) (string, error) {
	found := ""
	for _, n := range names {
		if !c.has(n) {
			continue
		}
		if found != "" {
			return "", s3api.BadArgument(n, c.Query.Get(n), "Only one of the parameters "+strings.Join(names, ", ")+" can be set in a single request")
		}
		found = n
	}
	if found == "" {
		return "", s3api.E(s3api.InvalidArgument).WithMessage("One of the parameters " + strings.Join(names, ", ") + " is needed")
	}
	return found, nil
}

// user returns the id of the user that a request names by emailAddress or id.
func (a *API) user(ctx context.Context, c *Call) (string, error) {
	by, err := c.one("emailAddress", "id")
	if err != nil {
		return "", err
	}
	v, err := c.value(by)
	if err != nil || by == "id" {
		return v, err
	}
	id, err := a.Accounts.Resolve(ctx, v)
	return id, accountError(err)
}

// accountError is what a client is told of an error of package account.
func accountError(err error) error {
	if err == nil {
		return nil
	}
	code, said := s3api.Code(""), err
	switch holdfast.KindOf(err) {
	case holdfast.Invalid, holdfast.TooLarge:
		code = s3api.InvalidArgument
	case holdfast.NotFound:
		return noEntity().WithCause(err)
	case holdfast.Exists:
		code = s3api.EntityAlreadyExists
	case holdfast.NotEmpty:
		code = s3api.DeleteConflict
	case holdfast.Unsupported:
		code = s3api.InvalidRequest
	case holdfast.Conflict:
		if !errors.Is(err, account.ErrTooManyKeys) {
			return s3api.E(s3api.ServiceUnavailable).WithCause(err) // others changed it all the time
		}
		code = s3api.LimitExceeded
	default:
		return err
	}
	var e *holdfast.Error
	for errors.As(said, &e) && e.Err != nil { // the innermost cause says it in words for the user
		said = e.Err
	}
	return s3api.E(code).WithMessage(sentence(said.Error())).WithCause(err)
}

// noEntity is what a client is told of what is not there.
func noEntity() *s3api.Error {
	return s3api.E(s3api.NoSuchEntity).WithMessage("There is no such user, access key or service account")
}

// sentence makes a cause begin as messages do.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
