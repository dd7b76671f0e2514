package main

import (
	"context"
	"os"
	"strings"

	"fairfactor"
	httpd "fairfactor/http"
	"fairfactor/http/webhook"
)

// leastSecret is the fewest bytes of a secret that signs webhooks.
const leastSecret = 16

// webhooks reads what the flags say of callbacks; nil if they allow none.
func (c *config) webhooks() (*webhook.Hosts, []string, error) {
	hosts, err := webhook.ParseHosts(c.hookHosts)
	if err != nil {
		return nil, nil, err
	}
	secrets := c.hookSecrets
	if c.hookSecretFile != "" {
		text, err := os.ReadFile(c.hookSecretFile)
		if err != nil {
			return nil, nil, fairfactor.Wrap(fairfactor.Invalid, err, "--webhook-secret-file can't be read")
		}
		secrets = append(secrets, strings.Fields(string(text))...)
	}
	for _, secret := range secrets {
		if len(secret) < leastSecret {
			return nil, nil, fairfactor.Errorf(fairfactor.Invalid, "a webhook secret has %d bytes, fewer than %d: make one with openssl rand -hex 32", len(secret), leastSecret)
		}
	}
	if len(c.hookHosts) == 0 {
		return nil, nil, nil
	}
	if len(secrets) == 0 {
		return nil, nil, fairfactor.Errorf(fairfactor.Invalid, "--webhook-hosts needs --webhook-secret or --webhook-secret-file: receivers know by the signature who calls")
	}
	return hosts, secrets, nil
}

// sendWebhooks tells callbacks that jobs have ended, until ctx ends. Without
// --webhook-hosts it does nothing.
func (n *node) sendWebhooks(ctx context.Context) {
	if n.hooks == nil {
		return
	}
	webhook.New(webhook.Config{
		Store: n.store, Hosts: n.hooks, Secrets: n.hookSecrets, Version: version, Logger: n.log, AppendJob: httpd.AppendJob, Counters: &n.hookCounters,
	}).Run(ctx)
}
