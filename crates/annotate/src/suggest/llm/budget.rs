//! What may be spent, and what was.

use serde::Serialize;

use super::Usage;

/// Prices of a million tokens, in any one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Prices {
    /// Of questions.
    pub input: f64,
    /// Of answers.
    pub output: f64,
}

impl Prices {
    /// What so many tokens cost.
    pub fn cost(&self, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        (prompt_tokens as f64 * self.input + completion_tokens as f64 * self.output) / 1e6
    }
}

/// The most that may be spent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Budget {
    /// Tokens of questions and answers together.
    pub tokens: Option<u64>,
    /// Money, in the currency of the prices.
    pub cost: Option<f64>,
    /// The prices.
    pub prices: Prices,
}

/// What was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spent {
    /// Requests that were sent.
    pub requests: u64,
    /// Of the questions asked, those that were answered from the cache.
    pub from_cache: u64,
    /// Tokens of questions.
    pub prompt_tokens: u64,
    /// Tokens of answers.
    pub completion_tokens: u64,
    /// Of these tokens, those that were estimated because nothing told them.
    pub estimated_tokens: u64,
    /// The cost at the prices that were given.
    pub cost: f64,
    /// Tokens that requests under way may come to.
    #[serde(skip)]
    reserved: Reserved,
    /// Tokens of questions as they were guessed and as the server counted them.
    #[serde(skip)]
    guessed: u64,
    #[serde(skip)]
    counted: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reserved {
    prompt: u64,
    completion: u64,
}

/// What is likely to be spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Requests to be sent.
    pub requests: u64,
    /// Questions that the cache answers.
    pub from_cache: u64,
    /// Tokens of the questions.
    pub prompt_tokens: u64,
    /// Tokens of the answers.
    pub completion_tokens: u64,
}

impl Estimate {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            from_cache: self.from_cache + other.from_cache,
            prompt_tokens: self.prompt_tokens + other.prompt_tokens,
            completion_tokens: self.completion_tokens + other.completion_tokens,
        }
    }
}

impl Spent {
    /// About how many tokens the server counts where so many are guessed, going by the questions so far; never fewer.
    pub(super) fn as_counted(&self, guess: u64) -> u64 {
        if self.counted <= self.guessed {
            return guess;
        }
        (guess as f64 * self.counted as f64 / self.guessed.max(1) as f64).ceil() as u64
    }

    /// Sets aside the most that a request may come to; `false` where the budget does not have it.
    pub(super) fn reserve(&mut self, budget: &Budget, prompt: u64, completion: u64) -> bool {
        let prompt_all = self.prompt_tokens + self.reserved.prompt + prompt;
        let completion_all = self.completion_tokens + self.reserved.completion + completion;
        let fits = budget.tokens.is_none_or(|tokens| prompt_all + completion_all <= tokens)
            && budget.cost.is_none_or(|cost| budget.prices.cost(prompt_all, completion_all) <= cost);
        if fits {
            self.reserved.prompt += prompt;
            self.reserved.completion += completion;
            self.requests += 1;
        }
        fits
    }

    /// Whether requests are under way.
    pub(super) fn is_waiting(&self) -> bool {
        self.reserved != Reserved::default()
    }

    /// Counts what a request came to, in the place of what was set aside; `None` where the server does not tell.
    pub(super) fn settle(&mut self, budget: &Budget, set_aside: (u64, u64), usage: Option<Usage>, guess: (u64, u64)) {
        self.reserved.prompt -= set_aside.0;
        self.reserved.completion -= set_aside.1;
        let (prompt, completion) = usage.map_or(guess, |usage| (usage.prompt_tokens, usage.completion_tokens));
        if usage.is_some() {
            self.guessed += guess.0;
            self.counted += prompt;
        } else {
            self.estimated_tokens += prompt + completion;
        }
        self.prompt_tokens += prompt;
        self.completion_tokens += completion;
        self.cost = budget.prices.cost(self.prompt_tokens, self.completion_tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_counts_until_it_is_settled() {
        let prices = Prices { input: 1.0, output: 10.0 };
        let budget = Budget { tokens: Some(250), cost: None, prices };
        let mut spent = Spent::default();
        assert!(spent.reserve(&budget, 50, 100));
        assert!(!spent.reserve(&budget, 50, 100));
        spent.settle(&budget, (50, 100), Some(Usage { prompt_tokens: 40, completion_tokens: 10 }), (0, 0));
        assert!(spent.reserve(&budget, 50, 100));
        spent.settle(&budget, (50, 100), None, (50, 0));
        assert_eq!((spent.prompt_tokens, spent.completion_tokens, spent.estimated_tokens), (90, 10, 50));
        assert!((spent.cost - 190e-6).abs() < 1e-12);
        // The server counts more than was guessed, and the next guess is raised.
        spent.guessed = 10;
        spent.counted = 25;
        assert_eq!(spent.as_counted(4), 10);
        let money = Budget { tokens: None, cost: Some(1000e-6), prices };
        assert!(!spent.reserve(&money, 0, 82) && spent.reserve(&money, 0, 81));
    }
}
