//! Which blocks of a page are its main text.

use super::{
    element::Element,
    noise::Noise,
    tree::{Block, Tree},
};

/// Bytes from which a block counts as running text.
const RUNNING: u32 = 80;
/// Share of the running text that an element must hold for the page to be narrowed down to it.
const MOST_OF_IT: f64 = 0.8;

/// For each block whether it belongs to the main text.
pub(super) fn blocks(tree: &Tree) -> Vec<bool> {
    let named = running(tree, Noise::Named);
    let unnamed = running(tree, Noise::None);
    // Where the classes of banners and menus mark most of the page's text, they mean something else here.
    let (noise, weights) =
        if sum(&unnamed) * 4.0 >= sum(&named) { (Noise::None, unnamed) } else { (Noise::Named, named) };
    let is_noise = |block: &Block| tree.nodes[block.node as usize].noise > noise;
    if sum(&weights) == 0.0 {
        return without_running_text(tree, is_noise);
    }
    let inside = inside(tree, root(tree, &weights));
    let mut kept: Vec<bool> = tree
        .blocks
        .iter()
        .map(|block| inside[block.node as usize] && !is_noise(block) && !is_link_list(tree, block))
        .collect();
    drop_idle_headings(tree, &mut kept);
    kept
}

/// The bytes of running text in each node itself, at most this noisy.
fn running(tree: &Tree, noise: Noise) -> Vec<f64> {
    let mut weights = vec![0.0; tree.nodes.len()];
    for block in &tree.blocks {
        let node = &tree.nodes[block.node as usize];
        let is_running = block.length() >= RUNNING && block.links.saturating_mul(3) < block.length();
        if is_running && node.noise <= noise && !node.element.is_heading() {
            weights[block.node as usize] += f64::from(block.length());
        }
    }
    weights
}

fn sum(weights: &[f64]) -> f64 {
    weights.iter().sum()
}

/// The node that holds the main text.
fn root(tree: &Tree, own: &[f64]) -> usize {
    let mut weights = own.to_vec();
    for node in (1..tree.nodes.len()).rev() {
        weights[tree.nodes[node].parent as usize] += weights[node];
    }
    let all = weights.first().copied().unwrap_or(0.0);
    let largest = |element: Element, share: f64| {
        let those = (0..tree.nodes.len()).filter(|node| tree.nodes[*node].element == element);
        let largest = those.fold(None, |best: Option<usize>, node| match best {
            Some(best) if weights[best] >= weights[node] => Some(best),
            _ => Some(node),
        });
        largest.filter(|node| weights[*node] >= share * all)
    };
    if let Some(named) = largest(Element::Main, 0.3).or_else(|| largest(Element::Article, 0.5)) {
        return named;
    }
    let mut heaviest: Vec<Option<usize>> = vec![None; tree.nodes.len()];
    for node in 1..tree.nodes.len() {
        let place = &mut heaviest[tree.nodes[node].parent as usize];
        if place.is_none_or(|other| weights[node] > weights[other]) {
            *place = Some(node);
        }
    }
    let mut root = 0;
    while let Some(child) = heaviest[root]
        && weights[child] >= MOST_OF_IT * all
        && !tree.nodes[child].element.is_leaf()
    {
        root = child;
    }
    root
}

/// For each node whether it is `root` or stands in it.
fn inside(tree: &Tree, root: usize) -> Vec<bool> {
    let mut inside = vec![false; tree.nodes.len()];
    for node in 0..tree.nodes.len() {
        inside[node] = node == root || inside[tree.nodes[node].parent as usize];
    }
    inside
}

/// Whether a block is mostly links, and short or an item.
fn is_link_list(tree: &Tree, block: &Block) -> bool {
    let mostly = block.links.saturating_mul(2) > block.length();
    mostly
        && (block.length() < 200 || tree.nodes[block.node as usize].element == Element::Item)
        && !tree.nodes[block.node as usize].element.is_heading()
}

/// Drops headings under which nothing is left.
fn drop_idle_headings(tree: &Tree, kept: &mut [bool]) {
    let mut below = false;
    for (block, kept) in tree.blocks.iter().zip(kept).rev() {
        if !*kept {
            // What stood under the heading was dropped: what follows it further below is under other headings.
            continue;
        }
        if tree.nodes[block.node as usize].element.is_heading() {
            *kept = below;
        } else {
            below = true;
        }
    }
}

fn without_running_text(tree: &Tree, is_noise: impl Fn(&Block) -> bool) -> Vec<bool> {
    let attempts: [&dyn Fn(&Block) -> bool; 3] =
        [&|block| !is_noise(block) && !is_link_list(tree, block), &|block| !is_noise(block), &|_| true];
    let kept = attempts.iter().map(|attempt| tree.blocks.iter().map(attempt).collect::<Vec<bool>>());
    let mut kept = kept.skip_while(|kept| !kept.contains(&true));
    kept.next().unwrap_or_default()
}
