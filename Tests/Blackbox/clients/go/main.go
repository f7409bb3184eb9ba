// Drives Go's golang.org/x/oauth2, one JSON command a line: everything between the link and the API call is the
// library's. It is built by the tests against Debian's package, without a module (see toolkit/drivers.py).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"golang.org/x/oauth2"
)

type command struct {
	Do           string   `json:"do"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	AuthorizeURL string   `json:"authorize_url"`
	TokenURL     string   `json:"token_url"`
	RedirectURI  string   `json:"redirect_uri"`
	Scopes       []string `json:"scopes"`
	State        string   `json:"state"`
	Challenge    string   `json:"challenge"`
	Verifier     string   `json:"verifier"`
	Code         string   `json:"code"`
	URL          string   `json:"url"`
}

type answer struct {
	URL     string        `json:"url,omitempty"`
	Token   *oauth2.Token `json:"token,omitempty"`
	UserID  any           `json:"user_id,omitempty"`
	Status  int           `json:"status,omitempty"`
	Refused int           `json:"refused,omitempty"`
	Error   string        `json:"error,omitempty"`
}

type driver struct {
	config oauth2.Config
	source oauth2.TokenSource
	token  *oauth2.Token
}

// The authentication style is left to the library: it tries Basic, and the body when that fails.
func (d *driver) start(c command) answer {
	d.config = oauth2.Config{
		ClientID:     c.ClientID,
		ClientSecret: c.ClientSecret,
		RedirectURL:  c.RedirectURI,
		Scopes:       c.Scopes,
		Endpoint:     oauth2.Endpoint{AuthURL: c.AuthorizeURL, TokenURL: c.TokenURL},
	}
	options := []oauth2.AuthCodeOption{}
	if c.Challenge != "" {
		options = append(options, oauth2.SetAuthURLParam("code_challenge", c.Challenge),
			oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	}
	return answer{URL: d.config.AuthCodeURL(c.State, options...)}
}

func (d *driver) exchange(c command) answer {
	options := []oauth2.AuthCodeOption{}
	if c.Verifier != "" {
		options = append(options, oauth2.SetAuthURLParam("code_verifier", c.Verifier))
	}
	token, err := d.config.Exchange(context.Background(), c.Code, options...)
	if err != nil {
		return failure(err)
	}
	return d.hold(token)
}

func (d *driver) hold(token *oauth2.Token) answer {
	d.token = token
	d.source = d.config.TokenSource(context.Background(), token)
	return answer{Token: token, UserID: token.Extra("user_id")}
}

// Makes the access token look expired, so that the next call refreshes; another refresh token may be put in place.
func (d *driver) expire(c command) answer {
	token := *d.token
	token.Expiry = time.Now().Add(-time.Minute)
	if c.Code != "" {
		token.RefreshToken = c.Code
	}
	return d.hold(&token)
}

func (d *driver) call(c command) answer {
	token, err := d.source.Token()
	if err != nil {
		return failure(err)
	}
	response, err := oauth2.NewClient(context.Background(), d.source).Get(c.URL)
	if err != nil {
		return failure(err)
	}
	response.Body.Close()
	d.token = token
	return answer{Status: response.StatusCode, Token: token}
}

func failure(err error) answer {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		return answer{Refused: refused.Response.StatusCode, Error: string(refused.Body)}
	}
	return answer{Error: err.Error()}
}

func main() {
	http.DefaultTransport.(*http.Transport).Proxy = nil
	d := driver{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		steps := map[string]func(command) answer{
			"start": d.start, "exchange": d.exchange, "expire": d.expire, "call": d.call,
		}
		text, err := json.Marshal(steps[c.Do](c))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}
