package admin

import (
	"context"

	"holdfast"
	"holdfast/gw/s3api"
	"holdfast/gw/usage"
)

// usageList is a page of the names of usage objects.
type usageList struct {
	Items     int      `json:"nr_items"`
	Truncated bool     `json:"truncated"`
	Names     []string `json:"items"`
}

// GetUsage answers GET /?ostor-usage: the names of the usage objects, at most limit of them after the name in after, or with obj the
// object of that name.
func (a *API) GetUsage(ctx context.Context, c *Call) error {
	if c.has("obj") {
		if err := c.only("obj"); err != nil {
			return err
		}
		name, err := c.value("obj")
		if err != nil {
			return err
		}
		return missingUsage(name, a.Usage.Write(ctx, name, c.W))
	}
	if err := c.only("after", "limit"); err != nil {
		return err
	}
	limit := int64(usage.MaxPage)
	if c.has("limit") {
		var err error
		if limit, err = c.count("limit", usage.MaxPage); err != nil {
			return err
		}
	}
	names, more, err := a.Usage.List(ctx, c.Query.Get("after"), int(max(limit, 1)))
	if err != nil {
		return err
	}
	return c.json(usageList{Items: len(names), Truncated: more, Names: append([]string{}, names...)})
}

// DeleteUsage answers DELETE /?ostor-usage: it removes the object obj once it was collected. One whose period is not over is written anew.
func (a *API) DeleteUsage(ctx context.Context, c *Call) error {
	if err := c.only("obj"); err != nil {
		return err
	}
	name, err := c.value("obj")
	if err != nil {
		return err
	}
	return missingUsage(name, a.Usage.Delete(ctx, name))
}

// missingUsage turns the NotFound of a usage object into NoSuchKey.
func missingUsage(name string, err error) error {
	if holdfast.Is(err, holdfast.NotFound) {
		return s3api.NoKey(name).WithCause(err)
	}
	return err
}
