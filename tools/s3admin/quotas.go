package s3admin

import (
	"context"
	"flag"
	"strconv"
)

func quotas() params { return params{{"ostor-quotas", ""}} }

// showQuota prints the quota of a subject.
func (s *session) showQuota(ctx context.Context, w *subject) error {
	q, err := w.query(quotas())
	if err != nil {
		return err
	}
	var got struct {
		Version string `json:"version"`
		Type    string `json:"type"`
		Size    string `json:"size"`
	}
	answer, err := s.client.fetch(ctx, "GET", q, nil, &got)
	if err != nil || s.passJSON(answer) {
		return err
	}
	s.out.printf("version: '%s'\nsize: '%s'\ntype: '%s'\n", got.Version, got.Size, got.Type)
	return nil
}

// queryQuotas is query-quotas.
type queryQuotas struct{ subject }

func (c *queryQuotas) run(ctx context.Context, s *session) error { return s.showQuota(ctx, &c.subject) }

// setQuotas is set-quotas.
type setQuotas struct {
	subject
	size, bytes int64
}

func (c *setQuotas) flags(fs *flag.FlagSet) {
	c.subject.flags(fs)
	fs.Int64Var(&c.size, "s", -1, "`GB` (of 2^30 bytes); 0 is unlimited")
	fs.Int64Var(&c.bytes, "bytes", -1, "the quota in `bytes`, in place of -s")
}

func (c *setQuotas) run(ctx context.Context, s *session) error {
	q, err := c.query(quotas())
	if err != nil {
		return err
	}
	switch {
	case (c.size < 0) == (c.bytes < 0):
		return badFlag("s", "give -s GB or --bytes N")
	case c.size >= 0:
		q = append(q, param{"quota-size", strconv.FormatInt(c.size, 10)})
	default:
		q = append(q, param{"quota-bytes", strconv.FormatInt(c.bytes, 10)})
	}
	if _, err := s.client.call(ctx, "PUT", q, nil); err != nil {
		return err
	}
	return s.showQuota(ctx, &c.subject)
}

// removeQuotas is rm-quotas.
type removeQuotas struct{ subject }

func (c *removeQuotas) run(ctx context.Context, s *session) error {
	q, err := c.query(quotas())
	if err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "DELETE", q, nil); err != nil || s.json {
		return err
	}
	s.out.printf("Removed quota\n")
	return nil
}
