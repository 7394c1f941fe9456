package admin

import (
	"context"
	"strings"

	"holdfast/gw/account"
	"holdfast/gw/policy"
	"holdfast/gw/s3api"
)

// maxWith bounds how many values a question may have for the keys of conditions.
const maxWith = 100

// Question is whether somebody may do something.
type Question struct {
	User    *account.User    // nil: the anonymous caller
	Service *account.Service // of the user; nil: the user's own keys
	Action  string           // of policies, such as s3:GetObject
	Bucket  string           // "": the service
	Key     string           // "": the bucket
	Version string           // "": the current one
	// With has values for the keys of conditions, by their names in lower case: they stand for the request that nobody has made.
	With map[string][]string
}

// Explanation says whether the caller may, and which rule decides.
type Explanation struct {
	Allowed       bool             `json:"allowed"`
	Because       string           `json:"because"`
	AccountPolicy []policy.Finding `json:"account_policy,omitempty"`
	BucketPolicy  []policy.Finding `json:"bucket_policy,omitempty"`
}

// GetExplain answers GET /?ostor-explain: whether a user, a service account of a user, or with neither the anonymous caller may do an action
// on a bucket or a key, and why. It is ours.
func (a *API) GetExplain(ctx context.Context, c *Call) error {
	if a.Explain == nil {
		return s3api.E(s3api.NotImplemented)
	}
	if err := c.onlyMany("with", "emailAddress", "id", "accountName", "action", "bucket", "key", "versionId"); err != nil {
		return err
	}
	question := Question{Bucket: c.Query.Get("bucket"), Key: c.Query.Get("key"), Version: c.Query.Get("versionId")}
	var err error
	if question.Action, err = c.value("action"); err != nil {
		return err
	}
	if question.With, err = c.with(); err != nil {
		return err
	}
	if err := a.questioned(ctx, c, &question); err != nil {
		return err
	}
	if u := question.User; u != nil && !u.Enabled {
		return c.json(Explanation{Because: "the user is disabled: no key of the user or of a service account of the user signs"})
	}
	answer, err := a.Explain(ctx, &question)
	if err != nil {
		return err
	}
	return c.json(answer)
}

// questioned finds out whom a question is about.
func (a *API) questioned(ctx context.Context, c *Call, question *Question) error {
	if !c.has("emailAddress") && !c.has("id") {
		if c.has("accountName") {
			return s3api.BadArgument("accountName", c.Query.Get("accountName"), "A service account is one of a user: name the user")
		}
		return nil
	}
	id, err := a.user(ctx, c)
	if err != nil {
		return err
	}
	u, err := a.Accounts.User(ctx, id)
	if err != nil {
		return accountError(err)
	}
	question.User = &u
	if !c.has("accountName") {
		return nil
	}
	name, err := c.value("accountName")
	if err != nil {
		return err
	}
	s, err := a.Accounts.Service(ctx, id, name)
	question.Service = &s
	return accountError(err)
}

// with reads what is told about the keys of conditions. A key that no request has, or that the caller and the clock decide, is refused: an
// explanation that passed over it would be wrong.
func (c *Call) with() (map[string][]string, error) {
	texts := c.Query["with"]
	if len(texts) > maxWith {
		return nil, s3api.BadArgument("with", "", "The parameter is there more than 100 times")
	}
	with := make(map[string][]string)
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || !policy.Asks(key) {
			return nil, s3api.BadArgument("with", text, "It is KEY=VALUE with a key of conditions that a request can have, such as aws:SourceIp=192.0.2.1")
		}
		key = strings.ToLower(key)
		with[key] = append(with[key], value)
	}
	return with, nil
}
