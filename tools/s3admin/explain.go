package s3admin

import (
	"context"
	"errors"
	"flag"
	"strings"
)

// explain tells whether somebody may do something, and which rule decides. The gateway decides as it does about requests; none is made.
type explain struct {
	who
	account string
	action  string
	bucket  string
	key     string
	version string
	with    pairs
}

// pairs is a flag for KEY=VALUE that may be repeated.
type pairs []string

func (p *pairs) String() string { return strings.Join(*p, " ") }

// Set implements [flag.Value].
func (p *pairs) Set(text string) error {
	if key, _, ok := strings.Cut(text, "="); !ok || key == "" {
		return errors.New("want KEY=VALUE")
	}
	*p = append(*p, text)
	return nil
}

func (c *explain) flags(fs *flag.FlagSet) {
	c.who.flags(fs)
	fs.StringVar(&c.account, "n", "", "`name` of a service account of the user; without -e, -i and -n the caller is anonymous")
	fs.StringVar(&c.action, "a", "", "`action`, such as s3:GetObject")
	fs.StringVar(&c.bucket, "b", "", "`name` of the bucket; without it the action is on the service")
	fs.StringVar(&c.key, "k", "", "`key` of the object; without it the action is on the bucket")
	fs.StringVar(&c.version, "version-id", "", "`id` of a version of the object; without it the current one")
	fs.Var(&c.with, "with", "`KEY=VALUE` that conditions of policies look at, such as aws:SourceIp=192.0.2.1; may be repeated")
}

// query is the question as the management API takes it.
func (c *explain) query() (params, error) {
	if err := required("a", c.action, "the action"); err != nil {
		return nil, err
	}
	q := params{{"ostor-explain", ""}, {"action", c.action}}
	if c.email != "" || c.id != "" {
		var err error
		if q, err = c.who.query(q); err != nil {
			return nil, err
		}
	} else if c.account != "" {
		return nil, badFlag("n", "name the user of the service account by -e ADDRESS or -i ID")
	}
	for _, p := range []param{{"accountName", c.account}, {"bucket", c.bucket}, {"key", c.key}, {"versionId", c.version}} {
		if p.value != "" {
			q = append(q, p)
		}
	}
	for _, text := range c.with {
		q = append(q, param{"with", text})
	}
	return q, nil
}

// finding tells of one statement of a policy.
type finding struct {
	Statement int    `json:"statement"`
	Sid       string `json:"sid"`
	Effect    string `json:"effect"`
	Applies   bool   `json:"applies"`
	Why       string `json:"why"`
}

func (c *explain) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	var x struct {
		Allowed       bool      `json:"allowed"`
		Because       string    `json:"because"`
		AccountPolicy []finding `json:"account_policy"`
		BucketPolicy  []finding `json:"bucket_policy"`
	}
	answer, err := s.client.fetch(ctx, "GET", q, nil, &x)
	if err != nil || s.passJSON(answer) {
		return err
	}
	verdict := "Denied"
	if x.Allowed {
		verdict = "Allowed"
	}
	s.out.printf("%s: %s\n", verdict, x.Because)
	s.findings("account policy", x.AccountPolicy)
	s.findings("bucket policy", x.BucketPolicy)
	return nil
}

// findings prints what each statement of a policy does.
func (s *session) findings(title string, list []finding) {
	for _, f := range list {
		does, name := "does not apply", "-"
		if f.Applies {
			does = "applies"
		}
		if f.Sid != "" {
			name = f.Sid
		}
		s.out.printf("%s, statement %d (%s, %s) %s: %s\n", title, f.Statement, name, f.Effect, does, f.Why)
	}
}
