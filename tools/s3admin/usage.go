package s3admin

import (
	"context"
	"encoding/json"
	"flag"
)

func usageObjects(more ...param) params { return append(params{{"ostor-usage", ""}}, more...) }

// listUsage is list-usage.
type listUsage struct{ after string }

func (c *listUsage) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.after, "after", "", "`name` after which to begin")
}

// usageNames is a page of names, and what --json prints of all of them.
type usageNames struct {
	Items     int      `json:"nr_items"`
	Truncated bool     `json:"truncated"`
	Names     []string `json:"items"`
}

func (c *listUsage) run(ctx context.Context, s *session) error {
	all := usageNames{Names: []string{}}
	for after := c.after; ; {
		q := usageObjects()
		if after != "" {
			q = append(q, param{"after", after})
		}
		var page usageNames
		if _, err := s.client.fetch(ctx, "GET", q, nil, &page); err != nil {
			return err
		}
		if s.json {
			all.Names = append(all.Names, page.Names...)
		} else {
			for _, name := range page.Names {
				s.out.printf("%s\n", name)
			}
		}
		if !page.Truncated || len(page.Names) == 0 {
			break
		}
		after = page.Names[len(page.Names)-1]
	}
	if !s.json {
		return s.out.err
	}
	all.Items = len(all.Names)
	doc, err := json.Marshal(all)
	if err != nil {
		return err
	}
	s.passJSON(doc)
	return s.out.err
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
