package admin

import (
	"context"
	"fmt"
	"strconv"

	"holdfast"
	"holdfast/gw/limit"
	"holdfast/gw/s3api"
)

// subject returns what a request sets rules for: the user or the bucket it names, which must be there.
func (a *API) subject(ctx context.Context, c *Call) (limit.Subject, error) {
	if a.Limits == nil {
		return limit.Subject{}, s3api.E(s3api.NotImplemented)
	}
	by, err := c.one("emailAddress", "id", "bucket")
	if err != nil {
		return limit.Subject{}, err
	}
	if by == "bucket" {
		name, err := c.value("bucket")
		if err == nil {
			_, err = a.bucket(ctx, name)
			err = missing(name, err)
		}
		return limit.Bucket(name), err
	}
	id, err := a.existingUser(ctx, c)
	return limit.User(id), err
}

// existingUser is user for one that must be there.
func (a *API) existingUser(ctx context.Context, c *Call) (string, error) {
	id, err := a.user(ctx, c)
	if err != nil {
		return "", err
	}
	return id, a.mustExist(ctx, id)
}

// limitsJSON is the rules of a subject: operations a second, KB a second; zero is unlimited.
type limitsJSON struct {
	Default string `json:"ops:default"`
	Get     string `json:"ops:get"`
	Put     string `json:"ops:put"`
	List    string `json:"ops:list"`
	Delete  string `json:"ops:delete"`
	Out     string `json:"bandwidth:out"`
}

func perSecond(perMinute int64) string {
	return strconv.FormatFloat(float64(perMinute)/60, 'f', 2, 64)
}

// GetLimits answers GET /?ostor-limits.
func (a *API) GetLimits(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket"); err != nil {
		return err
	}
	s, err := a.subject(ctx, c)
	if err != nil {
		return err
	}
	r, err := a.Limits.Rules(ctx, s)
	if err != nil {
		return err
	}
	n := &r.PerMinute
	return c.json(limitsJSON{
		perSecond(n[limit.Default]), perSecond(n[limit.Get]), perSecond(n[limit.Put]), perSecond(n[limit.List]), perSecond(n[limit.Delete]),
		strconv.FormatInt(r.Out, 10),
	})
}

// classes are the classes of operations, in the words of the parameters.
func classes() [limit.Classes]limit.Class {
	return [...]limit.Class{limit.Default, limit.Get, limit.Put, limit.List, limit.Delete}
}

// PutLimits answers PUT /?ostor-limits: with the flag ops it sets the limits of operations, in operations a minute, those that are not
// named to default; with the flag bandwidth that of bytes sent, in KB a second. The other kind stays as it is.
func (a *API) PutLimits(ctx context.Context, c *Call) error {
	if c.has("limit-type") {
		return a.putLimit(ctx, c)
	}
	kind, err := c.one("ops", "bandwidth")
	if err != nil {
		return err
	}
	may := []string{"emailAddress", "id", "bucket", kind}
	if kind == "ops" {
		for _, class := range classes() {
			may = append(may, class.String())
		}
	} else {
		may = append(may, "out")
	}
	if err := c.only(may...); err != nil {
		return err
	}
	edit, err := c.limits(kind)
	if err != nil {
		return err
	}
	s, err := a.subject(ctx, c)
	if err != nil {
		return err
	}
	return limitError(a.Limits.Change(ctx, s, edit))
}

// putLimit is PutLimits in the later form of the API: limit-type, limit-resource and limit-value set one limit, that of operations in
// operations a second, and leave the others.
func (a *API) putLimit(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket", "limit-type", "limit-resource", "limit-value"); err != nil {
		return err
	}
	kind, name := c.Query.Get("limit-type"), c.Query.Get("limit-resource")
	most := int64(limit.MaxPerMinute / 60)
	if kind == "bandwidth" {
		most = limit.MaxOut
	}
	n, err := c.count("limit-value", most)
	if err != nil {
		return err
	}
	var edit func(*limit.Rules)
	switch {
	case kind == "bandwidth" && name == "out":
		edit = func(r *limit.Rules) { r.Out = n }
	case kind == "ops":
		for _, class := range classes() {
			if class.String() == name {
				edit = func(r *limit.Rules) { r.PerMinute[class] = 60 * n }
			}
		}
	}
	if edit == nil {
		return s3api.BadArgument("limit-resource", name, "There is no limit of this type and name")
	}
	s, err := a.subject(ctx, c)
	if err != nil {
		return err
	}
	return limitError(a.Limits.Change(ctx, s, edit))
}

// limits reads the new limits of a kind.
func (c *Call) limits(kind string) (func(*limit.Rules), error) {
	if kind == "bandwidth" {
		out, err := c.count("out", limit.MaxOut)
		return func(r *limit.Rules) { r.Out = out }, err
	}
	var n [limit.Classes]int64
	for i, class := range classes() {
		n[i] = n[limit.Default]
		if c.has(class.String()) {
			var err error
			if n[i], err = c.count(class.String(), limit.MaxPerMinute); err != nil {
				return nil, err
			}
		}
	}
	return func(r *limit.Rules) { r.PerMinute = n }, nil
}

// count reads a parameter that is a number, 0 to most.
func (c *Call) count(name string, most int64) (int64, error) {
	text, err := c.value(name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > most {
		return 0, s3api.BadArgument(name, text, fmt.Sprintf("The parameter must be a whole number from 0 to %d", most))
	}
	return n, nil
}

// DeleteLimits answers DELETE /?ostor-limits: nothing limits the user or bucket any more.
func (a *API) DeleteLimits(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "bucket"); err != nil {
		return err
	}
	s, err := a.subject(ctx, c)
	if err != nil {
		return err
	}
	return limitError(a.Limits.Change(ctx, s, func(r *limit.Rules) { *r = limit.Rules{Quota: r.Quota} }))
}

// limitError is what a client is told of an error of package limit.
func limitError(err error) error {
	switch holdfast.KindOf(err) {
	case holdfast.Conflict:
		return s3api.E(s3api.ServiceUnavailable).WithCause(err) // others changed it all the time
	case holdfast.TooLarge:
		return s3api.E(s3api.LimitExceeded).WithMessage(fmt.Sprintf("At most %d users and buckets may have limits", limit.MaxSubjects)).WithCause(err)
	}
	return err
}
