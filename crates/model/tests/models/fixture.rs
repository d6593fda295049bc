//! Copies of the tiny models that a test may change.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nomen_model::{Bundle, TokenClassifier};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;
use tempfile::TempDir;

pub const ARCHITECTURES: [&str; 7] =
    ["bert", "bert-gelu-new", "roberta", "xlm-roberta", "camembert", "distilbert", "electra"];

pub fn testdata(architecture: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "testdata", architecture].iter().collect()
}

pub fn classifier(folder: &Path) -> TokenClassifier {
    Bundle::open(folder).unwrap_or_else(|error| panic!("{error}")).classifier
}

/// One tensor of a file of weights.
#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    pub fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.to_owned(), dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }

    pub fn zeros(name: &str, shape: &[usize]) -> Self {
        Self::f32(name, shape, &vec![0.0; shape.iter().product()])
    }

    pub fn floats(&self) -> Vec<f32> {
        assert_eq!(self.dtype, Dtype::F32);
        self.bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    }

    pub fn integers(&self) -> Vec<i64> {
        assert_eq!(self.dtype, Dtype::I64);
        self.bytes.as_chunks().0.iter().map(|eight| i64::from_le_bytes(*eight)).collect()
    }
}

pub fn read_tensors(path: &Path) -> Vec<Tensor> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let own = |(name, view): (String, TensorView<'_>)| Tensor {
        name,
        dtype: view.dtype(),
        shape: view.shape().to_vec(),
        bytes: view.data().to_vec(),
    };
    file.tensors().into_iter().map(own).collect()
}

pub fn write_tensors(path: &Path, tensors: &[Tensor]) {
    let views = tensors.iter().map(|tensor| {
        (tensor.name.as_str(), TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).unwrap())
    });
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// A model folder of its own.
pub struct Folder(TempDir);

impl Folder {
    /// A copy of a tiny model.
    pub fn of(architecture: &str) -> Self {
        Self::copy(&testdata(architecture))
    }

    /// A copy of the model files of a folder.
    pub fn copy(from: &Path) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if !["golden.safetensors", "tokenization.json"].iter().any(|other| name == *other) {
                fs::copy(&path, folder.path().join(name)).unwrap();
            }
        }
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Changes a JSON file.
    pub fn json(&self, name: &str, change: impl FnOnce(&mut Value)) -> &Self {
        let path = self.path().join(name);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
        self
    }

    /// Sets a field of `config.json`.
    pub fn config(&self, field: &str, value: impl Into<Value>) -> &Self {
        self.json("config.json", |config| config[field] = value.into())
    }

    /// Changes `model.safetensors`.
    pub fn weights(&self, change: impl FnOnce(&mut Vec<Tensor>)) -> &Self {
        let path = self.path().join("model.safetensors");
        let mut tensors = read_tensors(&path);
        change(&mut tensors);
        write_tensors(&path, &tensors);
        self
    }

    /// What opening it as a bundle says.
    pub fn refusal(&self) -> String {
        match Bundle::open(self.path()) {
            Ok(_) => panic!("opened"),
            Err(error) => error.to_string(),
        }
    }
}
