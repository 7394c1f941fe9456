package s3admin

import (
	"context"
	"flag"
	"math"
	"strconv"
	"strings"
)

// subject names a user or a bucket, or with others also the default of all users or buckets.
type subject struct {
	who
	bucket   string
	defaults bool // -o is a flag
	all      string
}

func (w *subject) flags(fs *flag.FlagSet) {
	w.who.flags(fs)
	fs.StringVar(&w.bucket, "b", "", "`name` of the bucket")
	if w.defaults {
		fs.StringVar(&w.all, "o", "", "`user` or bucket: the default of all users, or of new buckets")
	}
}

// query adds the subject to the parameters of a request.
func (w *subject) query(q params) (params, error) {
	switch {
	case w.all != "" && w.all != "user" && w.all != "bucket":
		return nil, badFlag("o", "%q is neither user nor bucket", w.all)
	case w.all != "" && (w.bucket != "" || w.who != who{}):
		return nil, badFlag("o", "give one of -e, -i, -b and -o")
	case w.all != "":
		return append(q, param{"default", w.all}), nil
	case w.bucket != "" && w.who != who{}:
		return nil, badFlag("b", "give a user or a bucket, not both")
	case w.bucket != "":
		return append(q, param{"bucket", w.bucket}), nil
	case w.who == who{}:
		return nil, badFlag("e", "name a user by -e ADDRESS or -i ID, or a bucket by -b NAME")
	}
	return w.who.query(q)
}

func limits() params { return params{{"ostor-limits", ""}} }

// limitKeys are the limits in the order in which they are shown, with their units.
func limitKeys() [][2]string {
	return [][2]string{
		{"ops:default", "ops/s"}, {"ops:get", "ops/s"}, {"ops:put", "ops/s"}, {"ops:list", "ops/s"}, {"ops:delete", "ops/s"}, {"bandwidth:out", "kbs/s"},
	}
}

// showLimits prints the limits of a subject.
func (s *session) showLimits(ctx context.Context, w *subject) error {
	q, err := w.query(limits())
	if err != nil {
		return err
	}
	var got map[string]string
	answer, err := s.client.fetch(ctx, "GET", q, nil, &got)
	if err != nil || s.passJSON(answer) {
		return err
	}
	for _, k := range limitKeys() {
		s.out.printf("%s=%s%s\n", k[0], got[k[0]], k[1])
	}
	return nil
}

// queryLimits is query-limits.
type queryLimits struct{ subject }

func (c *queryLimits) run(ctx context.Context, s *session) error {
	return s.showLimits(ctx, &c.subject)
}

// setLimits is set-limits.
type setLimits struct {
	subject
	kind   string
	values []string
}

func (c *setLimits) flags(fs *flag.FlagSet) {
	c.subject.flags(fs)
	fs.StringVar(&c.kind, "t", "", "`ops` or bandwidth")
	fs.Func("L", "`limit=value`: default, get, put, list or delete in operations a second (ops), out in KB a second (bandwidth); several by commas or repeated",
		func(v string) error {
			c.values = append(c.values, strings.Split(v, ",")...)
			return nil
		})
}

func (c *setLimits) run(ctx context.Context, s *session) error {
	q, err := c.query(limits())
	if err != nil {
		return err
	}
	if c.kind != "ops" && c.kind != "bandwidth" {
		return badFlag("t", "%q is neither ops nor bandwidth", c.kind)
	}
	if len(c.values) == 0 {
		return badFlag("L", "at least one limit is needed, such as get=3600")
	}
	q = append(q, param{c.kind, ""})
	for _, v := range c.values {
		p, err := c.limit(v)
		if err != nil {
			return err
		}
		q = append(q, p)
	}
	if _, err := s.client.call(ctx, "PUT", q, nil); err != nil {
		return err
	}
	return s.showLimits(ctx, &c.subject)
}

// limit reads one value of -L. The API counts operations by the minute.
func (c *setLimits) limit(text string) (param, error) {
	name, value, _ := strings.Cut(text, "=")
	known := map[string]string{"default": "ops", "get": "ops", "put": "ops", "list": "ops", "delete": "ops", "out": "bandwidth"}
	if known[name] != c.kind {
		return param{}, badFlag("L", "%q is not a limit of %s", text, c.kind)
	}
	n, err := strconv.ParseFloat(value, 64)
	if c.kind == "ops" {
		n *= 60
	}
	if whole := math.Round(n); err != nil || !(n >= 0 && n <= 1<<40) || math.Abs(n-whole) > 1e-6 {
		return param{}, badFlag("L", "%q is not a rate: whole operations a minute and KB a second are possible", text)
	}
	return param{name, strconv.FormatFloat(math.Round(n), 'f', 0, 64)}, nil
}

// removeLimits is rm-limits.
type removeLimits struct{ subject }

func (c *removeLimits) run(ctx context.Context, s *session) error {
	q, err := c.query(limits())
	if err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "DELETE", q, nil); err != nil || s.json {
		return err
	}
	s.out.printf("Removed limits\n")
	return nil
}
