package admin

import (
	"context"
	"encoding/json"

	"holdfast/gw/account"
)

// serviceJSON is a service account as answers show it. The secret is there only when it was just made.
type serviceJSON struct {
	Name   string          `json:"Name"`
	Keys   []keyPair       `json:"AWSAccessKeys"`
	Policy json.RawMessage `json:"Policy,omitempty"`
}

func serviceOf(s *account.Service) serviceJSON {
	return serviceJSON{Name: s.Name, Keys: []keyPair{{s.AccessKey, s.Secret}}, Policy: s.Policy}
}

// service returns the user and the name of the service account that a request is about.
func (a *API) service(ctx context.Context, c *Call) (user, name string, err error) {
	if err := c.only("emailAddress", "id", "accountName"); err != nil {
		return "", "", err
	}
	if name, err = c.value("accountName"); err != nil {
		return "", "", err
	}
	user, err = a.user(ctx, c)
	return user, name, err
}

// GetAccounts answers GET /?ostor-accounts: the service accounts of a user, or the one that accountName names.
func (a *API) GetAccounts(ctx context.Context, c *Call) error {
	if c.has("accountName") {
		user, name, err := a.service(ctx, c)
		if err != nil {
			return err
		}
		s, err := a.Accounts.Service(ctx, user, name)
		if err != nil {
			return accountError(err)
		}
		return c.json(serviceOf(&s))
	}
	if err := c.only("emailAddress", "id"); err != nil {
		return err
	}
	user, err := a.user(ctx, c)
	if err != nil {
		return err
	}
	all, err := a.Accounts.Services(ctx, user)
	if err != nil {
		return accountError(err)
	}
	l := list{w: c.W, begin: `{"Accounts":[`, end: `]}`}
	for i := range all {
		if err := l.add(serviceOf(&all[i])); err != nil {
			return err
		}
	}
	return l.close()
}

// PostAccounts answers POST /?ostor-accounts: it makes a service account. The body is its policy; empty: all rights of the user.
func (a *API) PostAccounts(ctx context.Context, c *Call) error {
	user, name, err := a.service(ctx, c)
	if err != nil {
		return err
	}
	policy, err := c.Document()
	if err != nil {
		return err
	}
	s, err := a.Accounts.CreateService(ctx, user, name, policy)
	if err != nil {
		return accountError(err)
	}
	return c.json(serviceOf(&s))
}

// PutAccounts answers PUT /?ostor-accounts: it replaces the policy of a service account by the body; an empty one removes it.
func (a *API) PutAccounts(ctx context.Context, c *Call) error {
	user, name, err := a.service(ctx, c)
	if err != nil {
		return err
	}
	policy, err := c.Document()
	if err != nil {
		return err
	}
	return accountError(a.Accounts.SetPolicy(ctx, user, name, policy))
}

// DeleteAccounts answers DELETE /?ostor-accounts.
func (a *API) DeleteAccounts(ctx context.Context, c *Call) error {
	user, name, err := a.service(ctx, c)
	if err != nil {
		return err
	}
	return accountError(a.Accounts.DeleteService(ctx, user, name))
}
