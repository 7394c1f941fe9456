package s3admin

import (
	"context"
	"flag"
)

func usageObjects(more ...param) params { return append(params{{"ostor-usage", ""}}, more...) }

// listUsage is list-usage.
type listUsage struct{ after string }

func (c *listUsage) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.after, "after", "", "`name` after which to begin")
}

func (c *listUsage) run(ctx context.Context, s *session) error {
	for after := c.after; ; {
		q := usageObjects()
		if after != "" {
			q = append(q, param{"after", after})
		}
		var page struct {
			Truncated bool     `json:"truncated"`
			Names     []string `json:"items"`
		}
		answer, err := s.client.fetch(ctx, "GET", q, nil, &page)
		if err != nil {
			return err
		}
		if !s.passJSON(answer) {
			for _, name := range page.Names {
				s.out.printf("%s\n", name)
			}
		}
		if !page.Truncated || len(page.Names) == 0 {
			return s.out.err
		}
		after = page.Names[len(page.Names)-1]
	}
}

// whichUsage names a usage object.
type whichUsage struct{ name string }

func (w *whichUsage) flags(fs *flag.FlagSet) {
	fs.StringVar(&w.name, "n", "", "`name` of the usage object, from list-usage")
}

func (w *whichUsage) query() (params, error) {
	return usageObjects(param{"obj", w.name}), required("n", w.name, "the name of the usage object")
}

// getUsage is get-usage: the object as it is, JSON.
type getUsage struct{ whichUsage }

func (c *getUsage) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	doc, err := s.client.call(ctx, "GET", q, nil)
	if err == nil {
		s.out.printf("%s\n", doc)
	}
	return err
}

// deleteUsage is delete-usage.
type deleteUsage struct{ whichUsage }

func (c *deleteUsage) run(ctx context.Context, s *session) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	if _, err := s.client.call(ctx, "DELETE", q, nil); err != nil || s.json {
		return err
	}
	s.out.printf("Deleted usage object %s\n", c.name)
	return nil
}
