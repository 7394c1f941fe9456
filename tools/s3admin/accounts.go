package s3admin

import (
	"context"
	"flag"
)

// accounts is the resource of service accounts.
func accounts(more ...param) params { return append(params{{"ostor-accounts", ""}}, more...) }

// whichAccount names a service account.
type whichAccount struct {
	who
	name string
}

func (w *whichAccount) flags(fs *flag.FlagSet) {
	w.who.flags(fs)
	fs.StringVar(&w.name, "n", "", "`name` of the service account")
}

func (w *whichAccount) query() (params, error) {
	q, err := w.who.query(accounts())
	if err == nil {
		err = required("n", w.name, "the name of the service account")
	}
	return append(q, param{"accountName", w.name}), err
}

// createAccount is create-account.
type createAccount struct {
	whichAccount
	policy string
}

func (c *createAccount) flags(fs *flag.FlagSet) {
	c.whichAccount.flags(fs)
	fs.StringVar(&c.policy, "policy", "", "`file` with the IAM policy that narrows the account; without it it may do what the user may")
}

func (c *createAccount) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	var policy []byte
	if c.policy != "" {
		if policy, err = readFile("-policy", c.policy); err != nil {
			return err
		}
	}
	var a account
	answer, err := s.client.fetch(ctx, "POST", q, policy, &a)
	if err != nil || s.passJSON(answer) {
		return err
	}
	for _, k := range a.Keys {
		s.out.printf("Create account: account name=%s, access key id=%s, secret access key=%s\n", a.Name, k.ID, k.Secret)
	}
	s.out.printf("The secret access key is shown this once. If it is lost, delete the account and create it again.\n")
	return nil
}

// listAccounts is list-user-accounts.
type listAccounts struct{ who }

func (c *listAccounts) run(ctx context.Context, s *session) error {
	u, done, err := s.user(ctx, &c.who)
	if err != nil || done {
		return err
	}
	s.out.table(func(add func(...string)) {
		add("NAME", "USER_ID", "EMAIL", "S3AccessKeyId", "S3SecretAccessKey")
		for _, a := range u.Accounts {
			for _, k := range a.Keys {
				add(a.Name, u.ID, u.Email, k.ID, hidden)
			}
		}
	})
	return nil
}

// queryAccount is query-account-info.
type queryAccount struct{ whichAccount }

func (c *queryAccount) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	var a account
	answer, err := s.client.fetch(ctx, "GET", q, nil, &a)
	if err != nil || s.passJSON(answer) {
		return err
	}
	for _, k := range a.Keys {
		s.out.printf("Query account: account name=%s, access key id=%s\n", a.Name, k.ID)
	}
	if len(a.Policy) == 0 {
		s.out.printf("Policy: none, all the rights of the user\n")
	} else {
		s.out.printf("Policy: %s\n", a.Policy)
	}
	return nil
}

// setAccountPolicy is set-account-policy.
type setAccountPolicy struct {
	whichAccount
	policy string
	none   bool
}

func (c *setAccountPolicy) flags(fs *flag.FlagSet) {
	c.whichAccount.flags(fs)
	fs.StringVar(&c.policy, "policy", "", "`file` with the IAM policy")
	fs.BoolVar(&c.none, "no-policy", false, "remove the policy: the account may do what the user may")
}

func (c *setAccountPolicy) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	if (c.policy == "") != c.none {
		return badFlag("-policy", "give --policy FILE or --no-policy")
	}
	var policy []byte
	if !c.none {
		if policy, err = readFile("-policy", c.policy); err != nil {
			return err
		}
	}
	if _, err := s.client.call(ctx, "PUT", q, policy); err != nil || s.json {
		return err
	}
	s.out.printf("Changed policy of account: account name=%s\n", c.name)
	return nil
}

// deleteAccount is delete-account.
type deleteAccount struct{ whichAccount }

func (c *deleteAccount) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "DELETE", q, nil); err != nil || s.json {
		return err
	}
	s.out.printf("Deleted account: account name=%s\n", c.name)
	return nil
}
