package namerpc

import (
	"context"
	"errors"

	"holdfast"
	"holdfast/namesrv/namerpc/namepb"
	"holdfast/wire"
)

// Lookup implements holdfast.NameService. Questions whose answers do not fit one message are asked again in halves.
func (c *Client) Lookup(ctx context.Context, questions []holdfast.Lookup) ([]holdfast.Answer, error) {
	return inHalves(questions, func(some []holdfast.Lookup) ([]holdfast.Answer, error) { return c.lookup(ctx, some) })
}

func (c *Client) lookup(ctx context.Context, questions []holdfast.Lookup) ([]holdfast.Answer, error) {
	const op = "namerpc.lookup"
	req := &namepb.LookupRequest{Service: uint64(c.id), Questions: manyToWire(questions, lookupToWire)}
	if err := c.fits(op, req); err != nil {
		return nil, err
	}
	r, err := c.remote.Lookup(ctx, req)
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	if r.GetError() != nil {
		return nil, errorFromWire(r.GetError())
	}
	var d decoder
	answers := manyFromWire(r.GetAnswers(), d.answer)
	if len(answers) != len(questions) {
		d.fail(errCount)
	}
	if d.err != nil {
		return nil, c.garbled(op, holdfast.Other, d.err)
	}
	return answers, nil
}

// List implements holdfast.NameService. Requests whose pages do not fit one message are made again in halves, and at
// last with a smaller limit, so a page of large items may be shorter than its limit although there are more.
func (c *Client) List(ctx context.Context, requests []holdfast.ListRequest) ([]holdfast.Page, error) {
	return inHalves(requests, func(some []holdfast.ListRequest) ([]holdfast.Page, error) {
		pages, err := c.list(ctx, some)
		for len(some) == 1 && some[0].Limit > 1 && errors.Is(err, wire.ErrMessage) {
			shorter := some[0]
			shorter.Limit /= 2
			some = []holdfast.ListRequest{shorter}
			pages, err = c.list(ctx, some)
		}
		return pages, err
	})
}

func (c *Client) list(ctx context.Context, requests []holdfast.ListRequest) ([]holdfast.Page, error) {
	const op = "namerpc.list"
	req := &namepb.ListRequests{Service: uint64(c.id), Requests: manyToWire(requests, listToWire)}
	if err := c.fits(op, req); err != nil {
		return nil, err
	}
	r, err := c.remote.List(ctx, req)
	if err != nil {
		return nil, c.lost(ctx, op, err, false)
	}
	if r.GetError() != nil {
		return nil, errorFromWire(r.GetError())
	}
	var d decoder
	pages := manyFromWire(r.GetPages(), d.page)
	if len(pages) != len(requests) {
		d.fail(errCount)
	}
	if d.err != nil {
		return nil, c.garbled(op, holdfast.Other, d.err)
	}
	return pages, nil
}

// inHalves asks for all at once, or, if the reply was over wire.MaxMessage, for each half by itself.
func inHalves[Q, A any](questions []Q, ask func([]Q) ([]A, error)) ([]A, error) {
	answers, err := ask(questions)
	if len(questions) < 2 || !errors.Is(err, wire.ErrMessage) {
		return answers, err
	}
	half := len(questions) / 2
	answers, err = inHalves(questions[:half], ask)
	if err != nil {
		return nil, err
	}
	rest, err := inHalves(questions[half:], ask)
	if err != nil {
		return nil, err
	}
	return append(answers, rest...), nil
}
