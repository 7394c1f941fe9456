package admin

import (
	"context"
	"encoding/json"
	"io"
	"strconv"

	"holdfast/gw/account"
	"holdfast/gw/limit"
	"holdfast/gw/s3api"
)

// keyPair is a key pair as answers show it.
type keyPair struct {
	ID     string `json:"AWSAccessKeyId"`
	Secret string `json:"AWSSecretAccessKey,omitempty"`
}

// brief is a user in a list.
type brief struct {
	Email string     `json:"UserEmail"`
	ID    string     `json:"UserId"`
	State string     `json:"State"`
	Owner string     `json:"OwnerId"`
	Flags []string   `json:"Flags"`
	Keys  []keyPair  `json:"AWSAccessKeys,omitempty"` // if asked for
	Space *spaceStat `json:"SpaceStat,omitempty"`     // if asked for
}

// full is one user.
type full struct {
	brief
	Keys         []keyPair     `json:"AWSAccessKeys"`
	AccountCount string        `json:"AccountCount"`
	Accounts     []serviceJSON `json:"Accounts"`
}

// created is a user that was made, or was given a key.
type created struct {
	Email string    `json:"UserEmail"`
	ID    string    `json:"UserId"`
	Flags []string  `json:"Flags,omitempty"`
	Keys  []keyPair `json:"AWSAccessKeys"`
}

// spaceStat is what a user's buckets hold together, in the terms of size: the peak is the sum of their peaks.
type spaceStat struct {
	LastTs   int64
	SizeCurr int64
	SizeHMax int64
	SizeHInt int64
}

// noOwner is the owner of users: there are no owners above them.
const noOwner = "0000000000000000"

// flagSystem marks system users.
const flagSystem = "system"

func flagsOf(u *account.User) []string {
	if u.System {
		return []string{flagSystem}
	}
	return []string{}
}

func briefOf(u *account.User) brief {
	b := brief{Email: u.Email, ID: u.ID, State: "disabled", Owner: noOwner, Flags: flagsOf(u)}
	if u.Enabled {
		b.State = "enabled"
	}
	return b
}

func pairsOf(keys []account.KeyPair) []keyPair {
	pairs := make([]keyPair, len(keys))
	for i, k := range keys {
		pairs[i] = keyPair{k.AccessKey, k.Secret}
	}
	return pairs
}

// GetUsers answers GET /?ostor-users: one user by emailAddress or id, or all of them. The flag space adds what their buckets hold; the
// flags keys and secrets, which are ours, add the key pairs to the list.
func (a *API) GetUsers(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id", "space", "keys", "secrets"); err != nil {
		return err
	}
	if !c.has("emailAddress") && !c.has("id") {
		return a.listUsers(ctx, c)
	}
	id, err := a.user(ctx, c)
	if err != nil {
		return err
	}
	u, err := a.Accounts.User(ctx, id)
	if err != nil {
		return accountError(err)
	}
	services, err := a.Accounts.Services(ctx, id)
	if err != nil {
		return accountError(err)
	}
	out := full{brief: briefOf(&u), Keys: pairsOf(u.Keys), AccountCount: strconv.Itoa(len(services)), Accounts: []serviceJSON{}}
	for i := range services {
		out.Accounts = append(out.Accounts, serviceOf(&services[i]))
	}
	if c.has("space") {
		if out.Space, err = a.spaceOf(ctx, id); err != nil {
			return err
		}
	}
	return c.json(out)
}

// listUsers writes all users, a page at a time.
func (a *API) listUsers(ctx context.Context, c *Call) error {
	l := list{w: c.W, begin: `{"Users":[`, end: `]}`}
	for from, more := "", true; more; {
		page, err := a.Accounts.Users(ctx, from, c.has("secrets"))
		if err != nil {
			return accountError(err)
		}
		for i := range page.Users {
			b := briefOf(&page.Users[i])
			if c.has("keys") || c.has("secrets") {
				b.Keys = pairsOf(page.Users[i].Keys)
			}
			if c.has("space") {
				if b.Space, err = a.spaceOf(ctx, b.ID); err != nil {
					return err
				}
			}
			if err := l.add(b); err != nil {
				return err
			}
		}
		from, more = page.Next, page.Next != ""
	}
	return l.close()
}

// list writes a long array as its elements come. Nothing is written before the first element or the end, so that what
// fails at once can still be answered as an error.
type list struct {
	w          io.Writer
	begin, end string
	begun      bool
}

func (l *list) add(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sep := ","
	if !l.begun {
		sep, l.begun = l.begin, true
	}
	_, err = l.w.Write(append([]byte(sep), data...))
	return err
}

func (l *list) close() error {
	if !l.begun {
		_, err := io.WriteString(l.w, l.begin+l.end)
		return err
	}
	_, err := io.WriteString(l.w, l.end)
	return err
}

// PutUsers answers PUT /?ostor-users: it makes a user. With genKey, revokeKey, enable or disable it does what POST does, as in the
// first version of the API.
func (a *API) PutUsers(ctx context.Context, c *Call) error {
	for _, action := range userActions() {
		if c.has(action) {
			return a.PostUsers(ctx, c)
		}
	}
	if err := c.only("emailAddress", flagSystem); err != nil {
		return err
	}
	email, err := c.value("emailAddress")
	if err != nil {
		return err
	}
	u, err := a.Accounts.Create(ctx, email, c.has(flagSystem))
	if err != nil {
		return accountError(err)
	}
	return c.json(created{u.Email, u.ID, flagsOf(&u), pairsOf(u.Keys)})
}

func userActions() []string { return []string{"genKey", "revokeKey", "enable", "disable"} }

// PostUsers answers POST /?ostor-users: genKey, revokeKey, enable or disable.
func (a *API) PostUsers(ctx context.Context, c *Call) error {
	if c.has("accountName") {
		return s3api.E(s3api.NotImplemented).WithMessage("A service account has one key pair for its life: delete it and create it again")
	}
	if err := c.only(append(userActions(), "emailAddress", "id")...); err != nil {
		return err
	}
	action, err := c.one(userActions()...)
	if err != nil {
		return err
	}
	id, err := a.user(ctx, c)
	if err != nil {
		return err
	}
	switch action {
	case "genKey":
		u, pair, err := a.Accounts.GenerateKey(ctx, id)
		if err != nil {
			return accountError(err)
		}
		return c.json(created{Email: u.Email, ID: u.ID, Keys: pairsOf([]account.KeyPair{pair})})
	case "revokeKey":
		key, err := c.value("revokeKey")
		if err != nil {
			return err
		}
		return accountError(a.Accounts.RevokeKey(ctx, id, key))
	}
	return accountError(a.Accounts.SetEnabled(ctx, id, action == "enable"))
}

// DeleteUsers answers DELETE /?ostor-users. The limits and the quota of the user go, too.
func (a *API) DeleteUsers(ctx context.Context, c *Call) error {
	if err := c.only("emailAddress", "id"); err != nil {
		return err
	}
	id, err := a.user(ctx, c)
	if err != nil {
		return err
	}
	if err := a.Accounts.Delete(ctx, id); err != nil {
		return accountError(err)
	}
	if a.Limits != nil {
		_ = a.Limits.Change(ctx, limit.User(id), func(r *limit.Rules) { *r = limit.Rules{} }) // ids are not given again: what stays does no harm
	}
	return nil
}
